"""One module per table: plain functions on a session, in SQL that both drivers take."""
