"""What a chart may ask of a stored result: its records, what sets them apart, and words for what it is about.

A result is read as it was stored; nothing is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from meantime.formats import Answer, records_of
from meantime.formats.csv_file import years_text
from meantime.statistics.estimation.uncertainty import Reliability
from meantime.statistics.result import DIMENSION_FIELDS
from meantime.survey.reading.profile import Profile, normal

Row = dict[str, object]
"""A record with what a chart adds to it."""

LABEL_FIELDS = (*DIMENSION_FIELDS, "coefficient")
"""Fields that tell records of one answer apart."""

DOUBTFUL_SIGN = "*"
"""What the label of a record ends with that is to be used with caution."""

_NATION = frozenset(Profile().nation)


@dataclass(frozen=True)
class ChartedAnswer:
    """A stored result of v1 and the statistic that gave it.

    ``breaks`` are years from which on its estimates can't be compared with earlier ones.
    """

    statistic: str
    answer: Answer
    breaks: tuple[int, ...] = ()
    records: list[Mapping[str, object]] = field(init=False)

    def __post_init__(self) -> None:
        """Read the records once."""
        object.__setattr__(self, "records", records_of(self.answer))

    @cached_property
    def parameters(self) -> Mapping[str, object]:
        """What was asked, with every default written out; empty where the result doesn't say."""
        request = mapping_in(mapping_in(self.answer.get("provenance")).get("request"))
        return mapping_in(request.get("parameters"))

    @property
    def unit(self) -> str:
        """The unit of ``value``."""
        return str(self.answer.get("unit") or "")

    @property
    def value_unit(self) -> str:
        """The unit of estimates, where ``unit`` is that of a difference or a slope."""
        return {"percentage points": "percent", "percentage points per year": "percent"}.get(
            self.unit, self.unit.removesuffix(" per year")
        )

    @property
    def difference_unit(self) -> str:
        """The unit of a difference of two values."""
        return "percentage points" if self.unit == "percent" else self.unit

    @property
    def cautions(self) -> list[str]:
        """What a reader must know before trusting a number; the notes on the table last."""
        notes = [str(mapping_in(note).get("text", "")) for note in list_in(self.answer.get("notes"))]
        return [*map(str, list_in(self.answer.get("cautions"))), *filter(None, notes)]

    @property
    def level(self) -> float:
        """The level of intervals."""
        level = self.parameters.get("level")
        return level if isinstance(level, float) else 0.95

    @property
    def against(self) -> str:
        """What each record is compared with, in a word; empty where they don't share one."""
        named = {str(record["against"]) for record in self.records if record.get("against") is not None}
        if named:
            return named.pop() if len(named) == 1 else ""
        against, goal = self.parameters.get("against"), self.parameters.get("goal")
        return str(against) if against is not None else f"goal {goal:g}" if isinstance(goal, float | int) else ""

    @cached_property
    def question(self) -> str:
        """The question's text; of several, how many there are; empty where nobody says."""
        texts = distinct(record["question"] for record in self.records if "question" in record)
        if len(texts) > 1:
            return f"{len(texts)} questions"
        asked = [self.parameters[name] for name in ("question", "against_question") if self.parameters.get(name)]
        return texts[0] if texts else " / ".join(map(str, asked))

    @property
    def years(self) -> str:
        """The years in words; empty where nobody says."""
        found = {year for record in self.records if isinstance(year := record.get("year"), int)}
        asked = self.parameters.get("years")
        if not found and isinstance(asked, list):
            found = {year for year in asked if isinstance(year, int)}
        return years_text(found)

    @property
    def people(self) -> str:
        """The category and stratum that all records share, in words; empty for everybody."""
        shared = [
            next(iter(found))
            for name in ("category", "stratum")
            if len(found := {str(record[name]) for record in self.records if name in record}) == 1
        ]
        words = distinct(shared)
        return "" if words in (["Total"], ["Overall"]) else ": ".join(words)

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The dimensions in which the records differ."""
        return tuple(
            name for name in LABEL_FIELDS if len({record[name] for record in self.records if name in record}) > 1
        )

    def of_part(self, part: str) -> ChartedAnswer:
        """Return one part of an answer in parts, a profile's, with the unit that its records share; else all of it."""
        if not self.has("part"):
            return self
        records = [record for record in self.records if record["part"] == part]
        units = {str(record.get("unit") or "") for record in records}
        unit = units.pop() if len(units) == 1 else "each question's own unit"
        return ChartedAnswer(self.statistic, {**self.answer, "records": records, "unit": unit}, self.breaks)

    def has(self, *fields: str) -> bool:
        """Whether there are records, and they have these fields."""
        return bool(self.records) and all(name in self.records[0] for name in fields)

    def rows(self, records: Iterable[Mapping[str, object]] | None = None) -> list[Row]:
        """Return copies of the records, each with a ``label`` of what sets it apart."""
        return [{**record, "label": self.label(record)} for record in (self.records if records is None else records)]

    def label(self, record: Mapping[str, object]) -> str:
        """Return what sets a record apart from the others."""
        names = self.varying or tuple(name for name in ("location", *LABEL_FIELDS) if name in record)[:1]
        if "stratum" in names:
            categories = {other.get("category") for other in self.records}
            names = tuple(name for name in names if name != "category" or len(categories) > 1)
        names = tuple(sorted(names, key="question".__eq__))  # long, so last
        said = ", ".join(str(record[name]) for name in names if record.get(name) is not None) or self.question
        return f"{said} {DOUBTFUL_SIGN}" if is_doubtful(record) else said

    @cached_property
    def nation(self) -> Mapping[str, object] | None:
        """The nation's record, where there is exactly one and it has a value."""
        found = [record for record in self.records if is_nation(record.get("location"))]
        return found[0] if len(found) == 1 and number(found[0].get("value")) is not None else None

    @cached_property
    def reference(self) -> tuple[str, float] | None:
        """The value that all others are held against, with its name: what they are compared with, or the nation's."""
        values = {value for record in self.records if (value := number(record.get("reference"))) is not None}
        if len(values) == 1 and self.against:
            return self.against, values.pop()
        if self.nation is None or (value := number(self.nation["value"])) is None:
            return None
        return str(self.nation["location"]), value


def is_nation(name: object) -> bool:
    """Whether a location's name is a name of the nation.

    >>> is_nation("National"), is_nation("Ohio")
    (True, False)
    """
    return isinstance(name, str) and normal(name) in _NATION


def is_doubtful(record: Mapping[str, object]) -> bool:
    """Whether a record is to be used with caution."""
    return record.get("reliability") == Reliability.CAUTION.value


def number(value: object) -> float | None:
    """Return a number as it is, and None for everything else."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def numbers(records: Iterable[Mapping[str, object]], *fields: str) -> list[float]:
    """Return the numbers that some fields hold, in any record."""
    return [found for record in records for name in fields if (found := number(record.get(name))) is not None]


def distinct(values: Iterable[object]) -> list[str]:
    """Return texts without repetition, in their order."""
    return list(dict.fromkeys(str(value) for value in values))


def listed(names: Sequence[str], most: int = 12) -> str:
    """Return names in a row, of many only the first.

    >>> listed(["Ohio", "Utah", "Iowa"], most=2)
    'Ohio, Utah and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def mapping_in(value: object) -> Mapping[str, object]:
    """Return a mapping as it is, and an empty one for everything else."""
    return value if isinstance(value, Mapping) else {}


def list_in(value: object) -> list[object]:
    """Return a list as it is, and an empty one for everything else."""
    return value if isinstance(value, list) else []
