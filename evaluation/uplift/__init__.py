"""Whether treating customers changed what they did, and whom it moved."""
