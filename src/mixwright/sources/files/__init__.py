"""Which files a source means: on this machine, in a bucket, in a data set of a hub."""
