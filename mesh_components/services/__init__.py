"""What runs in the mesh: services and who sees them, machines outside of it, and applications to see it work."""
