"""Artefacts, stages, execution, hashing, errors and progress: what every other floor stands on."""
