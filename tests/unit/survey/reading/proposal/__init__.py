"""Proposals of mapping files."""
