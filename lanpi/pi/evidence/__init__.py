"""What doctor looks at beyond the ordinary readings."""
