"""Unit tests of the jobs' room results."""
