"""Several results as one, so that a chart can show all questions of a place, or all places and questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meantime.charts.answers import ChartedAnswer
from meantime.formats import Answer
from meantime.statistics.result import DIMENSION_FIELDS


def gathered(
    documents: Sequence[Answer], statistic: str, directions: Mapping[str, str | None] | None = None
) -> dict[str, object]:
    """Return results of one statistic, about a question each, as one document.

    Parameters
    ----------
    documents
        The results.
    statistic
        The statistic that gave all of them.
    directions
        Question (its text) to which end is better, ``lower_is_better`` or ``higher_is_better``.

    Returns
    -------
    dict
        A document whose records have ``question`` and ``direction`` besides; its cautions are those that all have, then
        those of some questions.

    Raises
    ------
    ValueError
        There is no result, or they have several units.
    """
    answers = [ChartedAnswer(statistic, document) for document in documents]
    if len({answer.unit for answer in answers}) != 1:
        raise ValueError("results are gathered of one unit, and of one at least")
    records = [
        {"question": answer.question, **record, "direction": (directions or {}).get(answer.question)}
        for answer in answers
        for record in answer.records
    ]
    ordered = [{name: record.get(name) for name in _fields(records)} for record in records]
    shared = [text for text in answers[0].cautions if all(text in answer.cautions for answer in answers)]
    asked: dict[str, list[str]] = {}
    for answer in answers:
        for text in answer.cautions:
            asked.setdefault(text, []).append(answer.question)
    own = [_of_some(text, questions, len(answers)) for text, questions in asked.items() if text not in shared]
    return {**documents[0], "records": ordered, "cautions": [*shared, *own], "notes": []}


def _of_some(text: str, questions: Sequence[str], count: int) -> str:
    """Return a caution with the question that it is about, or of how many."""
    return f"{questions[0]}: {text}" if len(questions) == 1 else f"{len(questions)} of {count} questions: {text}"


def _fields(records: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the fields of all records, dimensions first."""
    names = dict.fromkeys(name for record in records for name in record)
    return [name for name in DIMENSION_FIELDS if name in names] + [
        name for name in names if name not in DIMENSION_FIELDS
    ]
