"""Chooses models, sizes and weights for a shop on a part of its own past."""
