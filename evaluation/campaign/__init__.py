"""The result of a campaign against its hold-out, for people and for programs."""
