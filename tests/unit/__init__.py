"""Tests that mirror src/meantime."""
