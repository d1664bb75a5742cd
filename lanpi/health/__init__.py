"""One judgement of a Pi's health: readings in, findings out; preflight, status and doctor choose from one table."""
