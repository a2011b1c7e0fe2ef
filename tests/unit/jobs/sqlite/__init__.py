"""Unit tests of the jobs' room sqlite."""
