"""Looks at a prepared data set, and says what is probably wrong with it and what mends it."""
