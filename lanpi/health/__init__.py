"""What is wrong with a Pi, why, and what mends it: evidence is read, checks judge it, mending acts."""
