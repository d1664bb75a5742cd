"""What a user asks for, from beginning to end: the only layer that composes the others."""
