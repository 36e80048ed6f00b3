"""Trials on the past: how good the lists would have been."""
