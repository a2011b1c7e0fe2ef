"""The tables of the job store, for every SQL database. Changes go through ``migrations/`` (alembic)."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

_UNFINISHED = sa.text("state IN ('queued', 'running')")
_ENDED_BADLY = sa.text("state IN ('failed', 'cancelled')")
_WITH_KEY = sa.text("idempotency_key IS NOT NULL")
_OWNED = sa.text("owner <> ''")

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("arguments", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("checksum", sa.Integer, nullable=False),  # CRC-32 of the columns above
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("submitted_at", sa.Float, nullable=False),  # seconds since the epoch, as all times
    sa.Column("started_at", sa.Float),
    sa.Column("finished_at", sa.Float),
    sa.Column("result_sha256", sa.Text),
    sa.Column("result_size", sa.Integer),  # bytes
    sa.Column("reason", sa.Text),
    # Deleting the newest job must not free its number.
    sqlite_autoincrement=True,
)

sa.Index("jobs_unfinished", jobs.c.number, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED)
sa.Index("jobs_ended_badly", jobs.c.state, jobs.c.number, sqlite_where=_ENDED_BADLY, postgresql_where=_ENDED_BADLY)
sa.Index("jobs_of_owner", jobs.c.owner, jobs.c.number, sqlite_where=_OWNED, postgresql_where=_OWNED)
sa.Index("jobs_of_task", jobs.c.task, jobs.c.number)
sa.Index(
    "jobs_idempotency",
    jobs.c.owner,
    jobs.c.idempotency_key,
    unique=True,
    sqlite_where=_WITH_KEY,
    postgresql_where=_WITH_KEY,
)

store_facts = sa.Table(
    "store_facts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
