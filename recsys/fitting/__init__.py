"""From events to a fitted pipeline."""
