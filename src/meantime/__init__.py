"""Meantime: ask for a mean; do something else in the meantime.

A server for statistics over tables of published survey estimates. Importing this package imports neither
Flask nor DuckDB; the rooms are laid out in ``ARCHITECTURE.md``.
"""

__version__ = "0.1.0"
