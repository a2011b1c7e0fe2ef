"""Unit tests of the forms of a result."""
