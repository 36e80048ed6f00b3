"""What lists were followed by, for people and for programs."""
