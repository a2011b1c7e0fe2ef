"""Unit tests of the survey room."""
