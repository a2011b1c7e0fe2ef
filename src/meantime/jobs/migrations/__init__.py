"""Revisions of the job store's schema, run by alembic when a store is opened."""
