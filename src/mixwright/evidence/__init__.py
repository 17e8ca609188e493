"""Contract, certificate and verdict: what the records of two models prove."""
