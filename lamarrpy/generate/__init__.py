"""Generators: particle gun, decay gun, Pythia 8, and the primary vertices they share."""

from lamarrpy.generate.recipe import Recipe
from lamarrpy.generate.run import GENERATORS, generate, load_recipe, shipped_recipes

__all__ = ["GENERATORS", "Recipe", "generate", "load_recipe", "shipped_recipes"]
