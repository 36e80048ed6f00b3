"""Offers: what may be given to whom, what it is worth, and the choice among them."""
