"""The training application: prepare, fit, publish, from the command line."""
