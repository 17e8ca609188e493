"""From a corpus to token stores: chat template, loss mask, memory-mapped shards with record identity."""
