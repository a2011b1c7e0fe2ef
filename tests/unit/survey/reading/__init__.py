"""Unit tests of the survey's room reading."""
