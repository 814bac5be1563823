"""The root of trust and a signing certificate per cluster."""
