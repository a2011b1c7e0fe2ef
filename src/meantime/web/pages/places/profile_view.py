"""A profile as its page shows it: one row for each question, the gaps by category, what is missing, and words for all.

Every number is the answer's; here they are only put where a reader looks for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from meantime.charts.answers import is_nation, number
from meantime.charts.us_places import are_us_places
from meantime.statistics.estimation.absences import Absence
from meantime.statistics.estimation.comparisons.verdicts import MEANINGS, Verdict
from meantime.statistics.measures.profiles.records import Part
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import Question
from meantime.web.pages.places.figures import shared_words
from meantime.web.pages.places.panels import Panel, panel
from meantime.web.pages.places.row_marks import GapRow, SpineRow, gap_row, gap_scale, spine_row

Record = Mapping[str, object]

FIRST_GAPS = 3
"""So many gaps of a category are shown at once."""

ABSENCES = {
    Absence.NOT_SURVEYED: "the place isn't in the survey of that year",
    Absence.NOT_ASKED: "this wasn't asked there that year",
    Absence.SUPPRESSED: "suppressed by the publisher, as a rule because too few people answered",
    Absence.MISSING: "the table has no row for it",
}
"""Why there is no estimate, in words."""

_REASONS = {reason.name.lower(): text for reason, text in ABSENCES.items()}


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question of a place: ``now`` and ``trend`` are the profile's records of it, empty where there is none.

    ``short`` is the text without the words that all questions begin with; ``anchor`` is the row's id on the page.
    """

    question: Question
    short: str
    anchor: str
    now: Record
    trend: Record
    spine: SpineRow
    panel: Panel | None


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest gap between the strata of one category in one question."""

    row: QuestionRow
    record: Record
    drawn: GapRow | None

    @property
    def is_clear(self) -> bool:
        """Whether the highest stratum is surely above the lowest."""
        return self.record.get("verdict") == Verdict.HIGHER


@dataclass(frozen=True, slots=True)
class Missing:
    """Something without an estimate, why, and in which questions; no labels are all questions."""

    what: str
    why: str
    labels: Sequence[str]


@dataclass(frozen=True)
class ProfileView:
    """A profile for its page.

    Parameters
    ----------
    place, against
        Who is described, and what is compared with; None for nothing.
    records
        Those of the answer.
    cube
        The dataset's, which knows the questions.
    """

    place: str
    against: str | None
    records: Sequence[Record]
    cube: SurveyCube
    shared: str = field(init=False)

    def __post_init__(self) -> None:
        """Find what all questions begin with."""
        object.__setattr__(self, "shared", shared_words([each.text for each in self._asked]))

    @cached_property
    def _asked(self) -> list[Question]:
        texts = {str(record["question"]) for record in self._of(Part.NOW)}
        return [question for question in self.cube.questions if question.text in texts]

    def _of(self, part: Part) -> Iterator[Record]:
        return (record for record in self.records if record["part"] == part)

    def _by_question(self, part: Part) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for record in self._of(part):
            found.setdefault(str(record["question"]), []).append(record)
        return found

    # ---- questions ----

    @cached_property
    def rows(self) -> list[QuestionRow]:
        """One for each question: first those with a better end, as the dataset has them."""
        now, trend, years = (self._by_question(part) for part in (Part.NOW, Part.TREND, Part.YEAR))
        rows = []
        for number_, question in enumerate(self._asked, start=1):
            text = question.text
            own = now[text][0]
            is_id = re.fullmatch(r"[A-Za-z][\w.-]*", question.question_id, re.ASCII)
            breaks = [each.year for each in question.breaks]
            rows.append(
                QuestionRow(
                    question=question,
                    short=text[len(self.shared) :].strip() or text,
                    anchor=question.question_id if is_id else f"question-{number_}",
                    now=own,
                    trend=trend.get(text, [{}])[0],
                    spine=spine_row(own),
                    panel=panel(years.get(text, []), breaks),
                )
            )
        return sorted(rows, key=lambda row: row.question.direction is None)

    @property
    def years(self) -> list[int]:
        """The years that are described, the newest last."""
        return sorted({year for row in self.rows if isinstance(year := row.now.get("year"), int)})

    @property
    def verdicts(self) -> dict[str, int]:
        """How many questions have which verdict, in the order of the vocabulary."""
        found = [row.now.get("verdict") for row in self.rows]
        return {
            meaning.verdict.value if meaning.verdict else "not tested": found.count(meaning.verdict)
            for meaning in MEANINGS
            if meaning.verdict in found
        }

    @property
    def has_direction(self) -> bool:
        """Whether any question has a better end."""
        return any(row.question.direction is not None for row in self.rows)

    @property
    def has_ranks(self) -> bool:
        """Whether the place has a rank in any question."""
        return any(row.now.get("rank") is not None for row in self.rows)

    @property
    def has_trends(self) -> bool:
        """Whether there is a course over the years to be seen."""
        return any(row.panel for row in self.rows)

    @property
    def ranked(self) -> str:
        """What the places are called that are ranked."""
        return "states" if are_us_places([place.name for place in self.cube.locations]) else "places"

    @property
    def is_nation(self) -> bool:
        """Whether what is compared with is the nation."""
        return is_nation(self.against)

    # ---- gaps ----

    @cached_property
    def categories(self) -> dict[str, list[Gap]]:
        """The gaps of each category, clear ones first, then by their size in parts of the higher value."""
        by_text = {row.question.text: row for row in self.rows}
        found: dict[str, list[Record]] = {}
        for record in self._of(Part.DISPARITY):
            found.setdefault(str(record["category"]), []).append(record)
        shown = {}
        for category, records in found.items():
            scale = gap_scale(records)
            gaps = []
            for record in records:
                row = by_text[str(record["question"])]
                own = gap_scale([record]) if len({each["unit"] for each in records}) > 1 else scale
                gaps.append(Gap(row, record, gap_row(record, row.now.get("value"), own)))
            shown[category] = sorted(gaps, key=_by_size)
        return shown

    # ---- what is missing ----

    @cached_property
    def missing(self) -> list[Missing]:
        """What has no estimate, and why; the same of several questions is said once."""
        labels = {row.question.text: row.question.question_id or row.short for row in self.rows}
        found: dict[tuple[str, str], list[str]] = {}
        for record in self.records:
            reason, part = record.get("absence"), record["part"]
            if reason is None or (part == Part.NOW and self._has_year(record)):
                continue
            what = f"{record['category']}: {record['stratum']}" if part == Part.STRATUM else f"{record['year']}"
            found.setdefault((what, str(reason)), []).append(labels[str(record["question"])])
        return [
            Missing(what, _REASONS[reason], [] if len(set(those)) == len(self.rows) else those)
            for (what, reason), those in found.items()
        ]

    def _has_year(self, record: Record) -> bool:
        """Whether the part ``year`` says the same of a record of ``now``."""
        same = (other for other in self._of(Part.YEAR) if other["question"] == record["question"])
        return any(other["year"] == record["year"] for other in same)

    # ---- all records of a part ----

    @property
    def by_year(self) -> list[Record]:
        """The records by year."""
        return list(self._of(Part.YEAR))

    @property
    def by_stratum(self) -> list[Record]:
        """The records by stratum."""
        return list(self._of(Part.STRATUM))


def _by_size(gap: Gap) -> tuple[bool, float]:
    size, highest = number(gap.record.get("value")), number(gap.record.get("highest_value"))
    return not gap.is_clear, -(size or 0.0) / abs(highest or 1.0)
