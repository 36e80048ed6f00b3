"""The durable store of one shop: events, visitors and what else changes between bundles."""
