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
    ``in_results`` that of a result file; ``has_mark`` is whether there must be a mark.
    """

    in_database: int
    mark: int | None
    in_results: int
    has_mark: bool

    @property
    def highest(self) -> int:
        """The highest number that any of them knows."""
        return max(self.in_database, self.mark or 0, self.in_results)


def check_nothing_is_lost(found: Witnesses, path: Path) -> None:
    """Raise unless the database holds all that was given.

    Raises
    ------
    StoreCorruptError
        It doesn't, or the mark that would say so is missing or damaged: a store that made one may have lost jobs with
        it, and nobody can tell how many.
    """
    if found.mark is None and found.has_mark:
        raise StoreCorruptError(
            f"high-water-mark beside {path} is missing or damaged, so nobody knows whether jobs are missing; "
            "put it back, or go on above all that is known: meantime doctor --accept-lost-jobs"
        )
    lost = lost_jobs(found)
    if lost:
        count = f"{len(lost)} accepted job{'s are' if len(lost) > 1 else ' is'} missing"
        raise StoreCorruptError(f"{path} ends at job {found.in_database}, and {count} ({ids_of(lost)}): {_NEXT_STEP}")


def lost_jobs(found: Witnesses) -> range:
    """Return the numbers that were given, by the mark, and that the database has never held."""
    return range(found.in_database + 1, (found.mark or 0) + 1)


def ids_of(numbers: range) -> str:
    """Return the ids of some numbers in a row, for a person."""
    first, last = f"job_id_{numbers[0]}", f"job_id_{numbers[-1]}"
    return first if first == last else f"{first} to {last}"


def new_range(found: Witnesses) -> int:
    """Return a number to go on from that nobody else goes on from: far above all that is known, by chance.

    The same backup restored twice, or on two machines, so never gives one number to two jobs.
    """
    return found.highest + RANGE_SIZE * (1 + secrets.randbelow(RANGE_COUNT))
