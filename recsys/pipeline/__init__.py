"""The main path: query, request, sources, blend, list."""
