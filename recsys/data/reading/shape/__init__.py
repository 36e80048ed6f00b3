"""Brings foreign rows into shape: one row per item, with all that is true of it beside it."""
