"""The doors between networks."""
