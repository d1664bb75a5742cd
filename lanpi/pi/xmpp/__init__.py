"""A small XMPP client for checks, proofs and load."""
