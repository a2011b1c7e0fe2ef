"""Acceptance tests: a real server process, its clients, and what may befall them."""
