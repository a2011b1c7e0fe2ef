"""What an answer says, in sentences: of one place against the nation, and of all places together.

Built from records and the question's words alone; nothing is computed, and no place is said to differ that a verdict
doesn't call different.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from meantime.charts.kinds.wording import in_unit
from meantime.statistics.estimation.comparisons.verdicts import Verdict
from meantime.statistics.result import Record
from meantime.survey.questions import PERCENT, Question

_SHARE = re.compile(r"percent(?:age)? of (.+?)(?: aged 18 years and older)? who (\w+) (.+)", re.IGNORECASE)
_PAST = {"have": "had", "are": "were", "engage": "engaged", "achieve": "achieved", "report": "reported"}
"""The verbs of questions whose past is known; of others the question is quoted as it stands."""

_BESIDE = {
    Verdict.BETTER: "better than {}",
    Verdict.WORSE: "worse than {}",
    Verdict.HIGHER: "higher than {}",
    Verdict.LOWER: "lower than {}",
    Verdict.SIMILAR: "much like {}",
    Verdict.UNCLEAR: "not clearly different from {}",
}

_TOGETHER = {
    Verdict.WORSE: "{} {} worse than the nation",
    Verdict.BETTER: "{} {} better than the nation",
    Verdict.HIGHER: "{} {} higher than the nation",
    Verdict.LOWER: "{} {} lower than the nation",
    Verdict.SIMILAR: "{} {} much like it",
}
_OTHERS = {
    Verdict.UNCLEAR.value: "for {} the data don't tell",
    None: "{} couldn't be compared",
}


def of_a_place(question: Question, record: Record, trend: Record | None = None) -> str:
    """Return what a record of ``difference``, or of ``mean``, says of its place.

    Parameters
    ----------
    question
        What was asked.
    record
        The place's record.
    trend
        The place's record of ``trend`` that ends in the same year, if there is one.

    Examples
    --------
    >>> asked = Question("Q036", "Percent of adults aged 18 years and older who have obesity")
    >>> record = {"location": "Ohio", "year": 2023, "value": 36.4, "low": 35.2, "high": 37.7, "verdict": "worse"}
    >>> of_a_place(asked, record | {"reference": 32.8})
    "In 2023, 36.4 % (35.2\u201337.7) of adults in Ohio had obesity: worse than the nation's 32.8 %."
    """
    place, value = str(record["location"]), record.get("value")
    when = f"In {record['year']}, " if record.get("year") is not None else ""
    if not isinstance(value, float):
        return f"{when}there is no estimate for {place}." if when else f"There is no estimate for {place}."
    said = _with_unit(value, question.unit) + _interval(record, question.unit)
    share = _SHARE.fullmatch(question.text) if question.unit == PERCENT else None
    if share and share[2] in _PAST:
        sentence = f"{when}{said} of {share[1]} in {place} {_PAST[share[2]]} {share[3]}"
    else:
        sentence = f"{when}the value for {place} was {said}"
        sentence = sentence[0].upper() + sentence[1:]
    return f"{sentence}{_beside(record, question.unit)}{_course(trend, question.unit)}."


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.1f} %" if unit == PERCENT else in_unit(value, unit)


def _interval(record: Record, unit: str) -> str:
    low, high = record.get("low"), record.get("high")
    if not isinstance(low, float) or not isinstance(high, float):
        return ""
    return f" ({low:.1f}\u2013{high:.1f})" if unit == PERCENT else f" ({in_unit(low, '')} to {in_unit(high, '')})"


def _beside(record: Record, unit: str) -> str:
    """Return the verdict as a clause; nothing where nothing was tested."""
    reference, verdict = record.get("reference"), record.get("verdict")
    if not isinstance(reference, float) or not isinstance(verdict, str):
        return ""
    nation = f"the nation's {_with_unit(reference, unit)}"
    return f": {_BESIDE[Verdict(verdict)].format(nation)}"


def _course(trend: Record | None, unit: str) -> str:
    """Return the trend as a clause; nothing where there is none."""
    if trend is None or not isinstance(slope := trend.get("value"), float) or trend.get("course") is None:
        return ""
    since = f"since {trend['first_year']}"
    if trend["course"] == Verdict.STEADY:
        return f", with no clear change {since}"
    digits = 1 if abs(slope) >= 0.1 else 2
    pace = f"{abs(slope):.{digits}f} points" if unit == PERCENT else in_unit(abs(slope), unit)
    return f", and {trend['course']} by about {pace} a year {since}"


def of_all_places(records: Sequence[Record], places: str) -> str:
    """Return in a sentence how many places have which verdict.

    >>> of_all_places([{"verdict": word} for word in ("worse", "worse", "better", None)], "states")
    "Of 4 states, 2 are worse than the nation, 1 is better than the nation, and 1 couldn't be compared."
    """
    counts = Counter(record.get("verdict") for record in records)
    found = [
        text.format(counts[word], "is" if counts[word] == 1 else "are")
        for word, text in _TOGETHER.items()
        if counts[word]
    ]
    found += [text.format(counts[word]) for word, text in _OTHERS.items() if counts[word]]
    *first, last = found
    return f"Of {len(records)} {places}, {', '.join(first)}{', and ' if first else ''}{last}."


def of_its_rank(record: Record, *, is_directed: bool) -> str:
    """Return in a sentence which ranks the data allow a place.

    >>> rank = {"location": "Ohio", "rank": 39, "rank_low": 18, "rank_high": 48, "ranked_count": 49}
    >>> of_its_rank(rank, is_directed=True)
    'Its rank, from the best, is 39 of 49, and may be anything from 18 to 48.'
    """
    first = "from the best" if is_directed else "from the highest"
    low, high = record["rank_low"], record["rank_high"]
    known = "and no other fits the data" if low == high else f"and may be anything from {low} to {high}"
    return f"Its rank, {first}, is {record['rank']} of {record['ranked_count']}, {known}."


def text_of(value: object, unit: str) -> str:
    """Return a number as a table shows it, in a unit that the table names; a dash for none.

    >>> text_of(36.412, "percent"), text_of(0.0512, "proportion"), text_of(None, "percent")
    ('36.4', '0.0512', '\u2013')
    """
    if not isinstance(value, float):
        return "\u2013" if value is None else str(value)
    return f"{value:.1f}" if unit == PERCENT else in_unit(value, "")


def signed(value: object, unit: str) -> str:
    """Return a difference with its sign; else as ``text_of``.

    >>> signed(3.6, "percent"), signed(-2.04, "percent"), signed(0.0, "percent")
    ('+3.6', '\u22122.0', '0.0')
    """
    if not isinstance(value, float):
        return text_of(value, unit)
    sign = "+" if value > 0 else "\u2212" if value < 0 else ""
    return f"{sign}{text_of(abs(value), unit)}"


def by_place(records: Sequence[Record]) -> Mapping[str, Record]:
    """Return records by their location."""
    return {str(record["location"]): record for record in records}
