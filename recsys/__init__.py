"""A recommendation engine for retailers: fit, bundle, recommend, evaluate."""
