"""Istiod: the official charts rendered into typed objects."""
