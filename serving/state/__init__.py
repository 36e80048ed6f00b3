"""What may change while the server runs, and the threads that follow it."""
