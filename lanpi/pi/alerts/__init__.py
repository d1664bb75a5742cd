"""Messages to the administrator, in every way that is set up."""
