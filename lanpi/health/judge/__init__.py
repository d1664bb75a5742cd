"""What status, doctor and preflight judge in the same way: pure functions from one reading each."""
