"""From the columns of a row to a sample: which form a data set has, and how its rows are read."""
