"""Programs that make lists in environments of their own. Peers' need NumPy, SciPy and the peer."""
