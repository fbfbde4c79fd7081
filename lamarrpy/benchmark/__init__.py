"""Measured figures: what the project promises, beside its bars."""
