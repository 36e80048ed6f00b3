"""The evaluation application: how good the lists are, from the command line."""
