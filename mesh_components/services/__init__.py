"""What runs in the mesh: services, machines outside of it, and applications to see it work."""
