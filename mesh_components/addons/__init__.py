"""Add-ons: what shows how a mesh does, each from its own chart."""
