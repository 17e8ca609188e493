"""Token stores and shares to batches: a pure function of the plan, exact in the declared unit."""
