"""The SELECT statements behind lists of jobs and their eviction, with their parameters. Nothing is run here."""

from __future__ import annotations

from typing import NamedTuple

from meantime.jobs.job_store import JobFilter


class Query(NamedTuple):
    """A statement and what its question marks stand for."""

    statement: str
    parameters: tuple[object, ...]


def page_query(job_filter: JobFilter, *, before: int | None, limit: int) -> Query:
    """Return the query for whole jobs that pass a filter, newest first, with a number below ``before``."""
    conditions = ["number < ?"]
    parameters: list[object] = [2**63 - 1 if before is None else before]
    if job_filter.owner is not None:
        # The second condition lets the planner use the index of owned jobs.
        conditions.append("owner = ? AND owner <> ''" if job_filter.owner else "owner = ?")
        parameters.append(job_filter.owner)
    if job_filter.state is not None:
        # Spelled out, not bound: a partial index serves only a condition that the planner can see.
        conditions.append(f"state = '{job_filter.state.value}'")
    if job_filter.task_name is not None:
        conditions.append("task = ?")
        parameters.append(job_filter.task_name)
    if job_filter.version_prefix is not None:
        conditions.append("substr(version, 1, ?) = ?")
        parameters += [len(job_filter.version_prefix), job_filter.version_prefix]
    if job_filter.submitted_since is not None:
        conditions.append("submitted_at >= ?")
        parameters.append(job_filter.submitted_since)
    where = " AND ".join(conditions)
    return Query(f"SELECT * FROM jobs WHERE {where} ORDER BY number DESC LIMIT ?", (*parameters, limit))  # noqa: S608


def evict_query(finished_before: float | None, up_to_number: int | None, limit: int) -> Query:
    """Return the query for (number, checksum of the result) of ended jobs past either limit, oldest first."""
    return Query(
        "SELECT number, result_sha256 FROM jobs WHERE state IN ('done', 'failed', 'cancelled')"
        " AND (finished_at < ? OR number <= ?) ORDER BY number LIMIT ?",
        (finished_before, up_to_number, limit),  # a comparison with NULL holds for no row
    )
