"""Where a store's numbers go on when it is opened: above every number that was ever given, or not at all.

Three witnesses say what was given: the database, the high-water mark beside it, and the names in ``results/``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from meantime.errors import StoreCorruptError

RANGE_SIZE = 1_000_000
RANGE_COUNT = 1_000_000

_NEXT_STEP = (
    "put back the jobs.sqlite3-wal or jobs.sqlite3 that belongs to it, or restore a newer backup; "
    "or go on without them: meantime doctor --accept-lost-jobs"
)


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What is known of the numbers that were given, as a store is found.

    ``in_database`` is the highest that the database ever held, ``mark`` that of the mark (None: missing or damaged),
    ``in_results`` that of a result file. ``has_mark`` is whether the store made a mark once; ``is_new`` whether there
    was no database; ``is_copy`` whether it is a backup that is opened for the first time, from which jobs are missing
    by nature.
    """

    in_database: int
    mark: int | None
    in_results: int
    has_mark: bool
    is_new: bool
    is_copy: bool

    @property
    def highest(self) -> int:
        """The highest number that any of them knows."""
        return max(self.in_database, self.mark or 0, self.in_results)

    @property
    def is_mark_lost(self) -> bool:
        """Whether a mark is missed that could say more than the others."""
        return self.mark is None and self.has_mark and not self.is_copy


def last_number(found: Witnesses, path: Path, *, accepts_loss: bool) -> int:
    """Return the number that the store at a path goes on from.

    Raises
    ------
    StoreCorruptError
        Accepted jobs are missing, or may be; see ``check_nothing_is_lost``. Not where the loss is accepted, nor in a
        new store or a backup, where it is known.
    """
    if not (found.is_new or found.is_copy or accepts_loss):
        check_nothing_is_lost(found, path)
    return new_range(found) if found.is_copy or found.is_mark_lost else found.highest


def check_nothing_is_lost(found: Witnesses, path: Path) -> None:
    """Raise unless the database holds all that was given.

    Raises
    ------
    StoreCorruptError
        It doesn't, or the mark that would say so is missing or damaged: a store that made one may have lost jobs with
        it, and nobody can tell how many.
    """
    if found.is_mark_lost:
        raise StoreCorruptError(
            f"high-water-mark beside {path} is missing or damaged, so nobody knows whether jobs are missing; "
            "put it back, or go on above all that is known: meantime doctor --accept-lost-jobs"
        )
    if (found.mark or 0) > found.in_database:
        raise StoreCorruptError(f"{path} ends at job {found.in_database}, and {loss_of(found)}: {_NEXT_STEP}")


def loss_of(found: Witnesses) -> str:
    """Return which accepted jobs are missing, for a person."""
    if found.is_mark_lost:
        return "the high-water mark is missing or damaged; nobody knows whether jobs are missing"
    count = (found.mark or 0) - found.in_database
    if count <= 0:
        return "no job is missing"
    first, last = f"job_id_{found.in_database + 1}", f"job_id_{found.mark}"
    return (
        f"{count} accepted jobs are missing ({first} to {last})"
        if count > 1
        else f"1 accepted job is missing ({first})"
    )


def new_range(found: Witnesses) -> int:
    """Return a number to go on from that nobody else goes on from: far above all that is known, by chance.

    The same backup restored twice, or on two machines, so never gives one number to two jobs.
    """
    return found.highest + RANGE_SIZE * (1 + secrets.randbelow(RANGE_COUNT))
