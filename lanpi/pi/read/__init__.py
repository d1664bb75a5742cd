"""What a Pi says of itself: each reading once. Reads, and decides nothing."""
