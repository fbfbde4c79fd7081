"""How good the trained chain is, stage by stage and as a whole, and how fast."""
