"""Unit tests of the jobs' room state_directory."""
