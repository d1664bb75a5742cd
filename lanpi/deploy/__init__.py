"""From the roles' declarations to the desired state, and from there to the Pi."""
