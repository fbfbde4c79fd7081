"""Neural extrapolators beside integration: how far from the truth, how fast, and where which of them wins."""
