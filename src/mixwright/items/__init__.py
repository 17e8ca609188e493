"""Evaluation items and suites as data: prompts, targets, clusters, abilities, hashes. No scorers, no models."""
