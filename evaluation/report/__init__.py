"""The report: one self-contained page for people, and the figures beside it."""
