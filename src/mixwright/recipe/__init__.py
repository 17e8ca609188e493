"""What is asked: the schema of a recipe, loading it from YAML, and the lock that pins it."""
