"""A note: one thing that reading a table found and that its reader should know, and whose answers it is about.

Who finds notes makes them; which answers carry one is decided here, by what was asked and not by looking at cells.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

ABOUT_NO_ANSWER: frozenset[str] = frozenset()
"""The ``questions`` of a note that is about the table and changes no figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing that reading a table found.

    Parameters
    ----------
    kind
        A short name that programs can rely on, such as ``duplicate_rows``.
    text
        One sentence for people, which needs nothing else of the note.
    count
        How many rows (or cells, as the text says) it is about; None where there is nothing to count.
    lines
        The first lines of the source that it is about, ascending; 1 is the header.
    questions, locations, years
        Whose answers carry it: those that select one of each. Questions by text, locations by name. None means all of
        them, an empty set of questions no answer (``ABOUT_NO_ANSWER``).
    """

    kind: str
    text: str
    count: int | None = None
    lines: tuple[int, ...] = ()
    questions: frozenset[str] | None = None
    locations: frozenset[str] | None = None
    years: frozenset[int] | None = None

    def touches(self, questions: Collection[str], locations: Collection[str], years: Collection[int]) -> bool:
        """Whether an answer that selects these carries the note."""
        asked = ((self.questions, questions), (self.locations, locations), (self.years, years))
        return all(mine is None or not mine.isdisjoint(selected) for mine, selected in asked)

    @property
    def concerns_answers(self) -> bool:
        """Whether any answer can carry it."""
        return all(mine is None or mine for mine in (self.questions, self.locations, self.years))

    def to_json(self) -> dict[str, object]:
        """Return the note as JSON-able values, its sets as sorted lists."""
        return asdict(self) | {
            "lines": list(self.lines),
            "questions": None if self.questions is None else sorted(self.questions),
            "locations": None if self.locations is None else sorted(self.locations),
            "years": None if self.years is None else sorted(self.years),
        }
