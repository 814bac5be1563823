"""What follows from the settings: roles, edges, gateways, names, findings. Pure functions; knows nothing of Pulumi."""
