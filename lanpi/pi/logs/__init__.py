"""The Pi's logs, merged and redacted there."""
