"""How the istiod of one cluster gets to read another."""
