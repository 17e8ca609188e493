"""Replay that the base model writes itself: drawn, screened, and what it consists of."""
