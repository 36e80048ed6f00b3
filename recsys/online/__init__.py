"""What happened after lists were shown, from the store alone."""
