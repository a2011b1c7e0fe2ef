"""The parts of the street door, one by one; the whole of it is under ``tests/contract``."""
