"""The page of a study: research questions and criteria answered with its numbers, plots, tables, every network."""

from lamarrpy.study.page.writing import write_page

__all__ = ["write_page"]
