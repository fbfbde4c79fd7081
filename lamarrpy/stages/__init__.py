"""One detector effect per file, and the registry of them all."""
