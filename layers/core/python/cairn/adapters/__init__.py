"""One module for each outside system; the only place where its names and shapes are known."""
