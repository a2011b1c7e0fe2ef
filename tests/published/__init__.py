"""Figures that others printed, each with its source."""
