"""Unit tests of the fields room."""
