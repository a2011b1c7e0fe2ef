"""Tests that mirror src/meantime/statistics/estimation/series."""
