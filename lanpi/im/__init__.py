"""The messaging server as the operator's side sees it: its admin interface, and what its releases can do."""
