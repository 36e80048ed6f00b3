"""Quality of lists as pure functions on arrays, one metric per file."""
