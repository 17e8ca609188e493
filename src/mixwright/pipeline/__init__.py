"""The stages in order: what `run` does, what is cached, where a run directory comes from."""
