"""Recipes: published set-ups as data, one TOML file each, beside this one."""

from antidistill.distill.recipes.reading import Recipe, Set, names, read_recipe

__all__ = ["Recipe", "Set", "names", "read_recipe"]
