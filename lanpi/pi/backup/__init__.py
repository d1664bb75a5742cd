"""Backups of a Pi: taken, kept, proven and brought back there."""
