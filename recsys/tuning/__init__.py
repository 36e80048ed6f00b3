"""Searches settings of models and rankers beyond the menu, for as long as anybody wants."""
