"""Lists of many customers as files, for mailings and other programs."""
