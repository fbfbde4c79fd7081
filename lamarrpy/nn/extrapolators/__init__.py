"""Neural track extrapolators: networks that carry tracks through a magnetic field."""
