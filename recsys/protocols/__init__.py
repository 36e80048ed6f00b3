"""How data are split and what is asked: from a data set to a back-test's questions."""
