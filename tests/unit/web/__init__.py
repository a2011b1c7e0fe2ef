"""The parts of the HTTP interface, one by one; the whole of it is under ``tests/contract``."""
