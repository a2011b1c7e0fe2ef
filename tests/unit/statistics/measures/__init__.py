"""Tests that mirror src/meantime/statistics/measures."""
