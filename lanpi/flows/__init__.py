"""What a user asks for, from start to finish: the only layer that combines the others."""
