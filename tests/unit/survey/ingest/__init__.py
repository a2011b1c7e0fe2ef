"""Unit tests of the survey's room ingest."""
