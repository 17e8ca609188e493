"""From rows to records: a source read whole, by one process or several."""
