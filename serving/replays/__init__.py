"""Logged answers made again, as they were or by another deployment file."""
