"""From a file to rows of columns, each with its place: forms of files, conditions, trees of messages."""
