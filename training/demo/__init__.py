"""The demo data: a year of a real grocer, from an installed package."""
