"""Published tables, made again: our lists, baselines, and those of other libraries, in one run."""
