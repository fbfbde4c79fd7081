"""How networks learn from tables: recipes, the one training loop, what is written to disk."""
