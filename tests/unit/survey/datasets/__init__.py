"""Unit tests of the survey's room datasets."""
