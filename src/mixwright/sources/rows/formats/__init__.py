"""One module for each form of file: its rows, each with its place."""
