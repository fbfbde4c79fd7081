"""How neural extrapolators learn."""
