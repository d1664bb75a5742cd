"""What is wrong with a Pi, why, and what fixes it: evidence is read, checks judge it, and a fix acts."""
