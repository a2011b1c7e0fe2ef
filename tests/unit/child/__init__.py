"""Unit tests of the room of child processes."""
