"""From a query to an answer, with the state of now; and what is noted of it."""
