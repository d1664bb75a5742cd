"""Backups of a Pi: made, kept, proven and restored there."""
