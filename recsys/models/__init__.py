"""Algorithms: each file is a configuration that fits and the model it makes."""
