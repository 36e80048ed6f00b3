"""What changes while serving: which items may be shown, and the filters that say so."""
