"""The first paragraph of a profile: what stands out, in sentences, each a plain reading of one record or a count."""

from __future__ import annotations

from collections.abc import Iterator

from meantime.charts.answers import number
from meantime.statistics.estimation.comparisons.verdicts import Verdict
from meantime.survey.questions import PERCENT
from meantime.web.pages.places.figures import figure, shortened, signed
from meantime.web.pages.places.profile_view import ProfileView, QuestionRow

_PERCENT_OF = "percent of "
_LETTERS = 96


def lead(view: ProfileView) -> list[str]:
    """Return two paragraphs: the place beside what it is compared with, and over the years; none is empty."""
    return [text for sentences in (_beside(view), _over_the_years(view)) if (text := " ".join(sentences))]


def other_name(view: ProfileView) -> str:
    """Return what is compared with, as a sentence has it."""
    return "the nation" if view.is_nation else view.against or ""


def _beside(view: ProfileView) -> Iterator[str]:
    counts = view.verdicts
    if view.against is None:
        count = _counted(len(view.rows), "question")
        yield f"{count} about {view.place}, each beside all {view.ranked}; compared with nothing."
        return
    other = other_name(view)
    tested = sum(count for word, count in counts.items() if word != "not tested")
    directed = [row for row in view.rows if row.now.get("verdict") and row.question.direction is not None]
    if not tested:
        yield f"Nothing can be compared with {other}: one side or the other has no estimate in any question."
        return
    if directed:
        better, worse = (sum(row.now["verdict"] == each for row in directed) for each in _ENDS)
        unclear = len(directed) - better - worse
        said = f"{view.place} is worse than {other} in {worse or 'none'} and better in {better or 'none'} of"
        said += f" {_counted(len(directed), 'question')} that {'has' if len(directed) == 1 else 'have'} a better end"
        yield said + (f"; in {unclear} the data don't tell." if unclear else ".")
    else:
        higher, lower = (counts.get(each.value, 0) for each in (Verdict.HIGHER, Verdict.LOWER))
        said = f"{view.place} is higher than {other} in {higher or 'none'} and lower in {lower or 'none'} of"
        yield f"{said} {_counted(tested, 'question')}; no end of them is called better."
    clearest = max((row for row in view.rows if row.now.get("verdict") in _FOUND), key=_clearness, default=None)
    if clearest is not None:
        value = _value_of(clearest, figure(clearest.now.get("value")))
        yield f"Clearest: {value}, against {figure(clearest.now.get('reference'))} in {other}."


_ENDS = (Verdict.BETTER, Verdict.WORSE)
_FOUND = (*_ENDS, Verdict.HIGHER, Verdict.LOWER)


def _clearness(row: QuestionRow) -> float:
    difference, error = number(row.now.get("difference")), number(row.now.get("difference_standard_error"))
    return abs(difference or 0.0) / error if error else 0.0


def _over_the_years(view: ProfileView) -> Iterator[str]:
    for verdict in (Verdict.WORSE, Verdict.BETTER, Verdict.RISING, Verdict.FALLING):
        rows = [row for row in view.rows if row.trend.get("verdict") == verdict and not row.trend.get("breaks_since")]
        if not rows:
            continue
        steepest = max(rows, key=lambda row: abs(number(row.trend.get("value")) or 0.0))
        more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
        word = f"Getting {verdict}" if verdict in _ENDS else verdict.capitalize()
        slope = f"{signed(steepest.trend.get('value'))} {_short_unit(steepest)} a year"
        yield f"{word} since {steepest.trend['first_year']}: {_subject(steepest)} ({slope}){more}."


def _short_unit(row: QuestionRow) -> str:
    unit = str(row.trend.get("unit") or "").removesuffix(" per year")
    return "points" if unit == "percentage points" else unit


def _subject(row: QuestionRow) -> str:
    text = row.question.text
    is_share = text.casefold().startswith(_PERCENT_OF)
    return shortened(text[len(_PERCENT_OF) :] if is_share else text, _LETTERS)


def _value_of(row: QuestionRow, value: str) -> str:
    is_share = row.question.text.casefold().startswith(_PERCENT_OF) and row.question.unit == PERCENT
    return f"{value} % of {_subject(row)}" if is_share else f"{value} {row.question.unit} ({_subject(row)})"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
