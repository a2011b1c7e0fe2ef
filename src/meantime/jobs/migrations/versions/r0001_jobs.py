"""The first tables: jobs and the facts of the store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UNFINISHED = sa.text("state IN ('queued', 'running')")
_ENDED_BADLY = sa.text("state IN ('failed', 'cancelled')")
_WITH_KEY = sa.text("idempotency_key IS NOT NULL")
_OWNED = sa.text("owner <> ''")


def upgrade() -> None:
    """Create the tables and their indices."""
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("checksum", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("submitted_at", sa.Float, nullable=False),
        sa.Column("started_at", sa.Float),
        sa.Column("finished_at", sa.Float),
        sa.Column("result_sha256", sa.Text),
        sa.Column("result_size", sa.Integer),
        sa.Column("reason", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_unfinished", "jobs", ["number"], sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED)
    op.create_index(
        "jobs_ended_badly", "jobs", ["state", "number"], sqlite_where=_ENDED_BADLY, postgresql_where=_ENDED_BADLY
    )
    op.create_index("jobs_of_owner", "jobs", ["owner", "number"], sqlite_where=_OWNED, postgresql_where=_OWNED)
    op.create_index("jobs_of_task", "jobs", ["task", "number"])
    op.create_index(
        "jobs_idempotency",
        "jobs",
        ["owner", "idempotency_key"],
        unique=True,
        sqlite_where=_WITH_KEY,
        postgresql_where=_WITH_KEY,
    )
    op.create_table(
        "store_facts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("store_facts")
    op.drop_table("jobs")
