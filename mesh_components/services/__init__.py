"""What runs in the mesh: services, and applications to see it work."""
