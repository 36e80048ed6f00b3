"""From a retailer's files to canonical tables, and from those to dense training rows."""
