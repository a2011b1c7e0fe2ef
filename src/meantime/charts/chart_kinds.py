"""The ONE table of kinds of charts: what each is called, which answers it fits and how it is drawn; and `chart_of`.

The kinds of a statistic are in ``KINDS_OF``; the first that fits an answer is its default. A new kind is one module in
``kinds/``, its row here and its name beside the statistics that it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from meantime.charts.answers import ChartedAnswer, numbers
from meantime.charts.frame import Drawing, framed
from meantime.charts.kinds.bars import bars
from meantime.charts.kinds.courses import courses
from meantime.charts.kinds.funnel import funnel
from meantime.charts.kinds.gaps import gaps
from meantime.charts.kinds.heat_map import columns_of, heat_map
from meantime.charts.kinds.pair_matrix import pair_matrix
from meantime.charts.kinds.rank_bands import rank_bands
from meantime.charts.kinds.rug import rug
from meantime.charts.kinds.series import series
from meantime.charts.kinds.spine import spine, spine_in_errors
from meantime.charts.kinds.spread import has_spread, spread
from meantime.charts.kinds.strata_dots import few_series, strata_dots
from meantime.charts.kinds.us_map import SHAPES, us_map
from meantime.charts.themes import Spec, Theme, find_theme
from meantime.charts.us_places import are_us_places
from meantime.errors import InvalidParameterError
from meantime.formats import Answer


@dataclass(frozen=True, slots=True)
class ChartKind:
    """One kind of chart: what it needs is what ``fits`` tests, in words ``needs``; of more than ``most`` records none.

    Beyond these bounds nobody could read it, and it would take longer to draw than anybody waits. Of an answer in parts
    it shows ``part``.
    """

    name: str
    title: str
    needs: str
    fits: Callable[[ChartedAnswer], bool]
    draw: Callable[[ChartedAnswer, Theme], Drawing]
    most: int = 2_000
    part: str = "now"

    def is_for(self, answer: ChartedAnswer) -> bool:
        """Whether an answer can be drawn so."""
        own = answer.of_part(self.part)
        return 0 < len(own.records) <= self.most and self.fits(own)


def _is_map(answer: ChartedAnswer) -> bool:
    return (
        answer.has("location", "value")
        and are_us_places([record["location"] for record in answer.records])
        and set(answer.varying) <= {"location"}
    )


def _has_pairs(answer: ChartedAnswer) -> bool:
    return answer.has("location", "against", "reference", "verdict") and not answer.against


def _has_years(answer: ChartedAnswer) -> bool:
    return "year" in answer.varying or answer.has("first_year", "last_value")


def _has_gaps(answer: ChartedAnswer) -> bool:
    return answer.has("location", "highest_stratum", "lowest_value", "p_value")


def _has_strata(answer: ChartedAnswer) -> bool:
    return answer.has("stratum", "value") and "stratum" in answer.varying and few_series(answer)


def _has_cells(answer: ChartedAnswer) -> bool:
    return answer.has("location", "value") and "location" in answer.varying and bool(columns_of(answer))


def _has_errors(answer: ChartedAnswer) -> bool:
    return answer.has("value", "standard_error") and len(numbers(answer.records, "standard_error")) > 2


def _is_one_place(answer: ChartedAnswer) -> bool:
    if not answer.has("question", "difference", "verdict", "direction") or "location" in answer.varying:
        return False
    return not answer.has("part") or bool(numbers(answer.records, "difference"))


def _has_one_unit(answer: ChartedAnswer) -> bool:
    return len({record.get("unit") for record in answer.records}) == 1


def _has_courses(answer: ChartedAnswer) -> bool:
    return answer.has("part", "question", "stretch") and "year" in answer.varying


def _is_rug(answer: ChartedAnswer) -> bool:
    return answer.has("question", "location", "verdict") and "location" in answer.varying


KINDS: dict[str, ChartKind] = {
    kind.name: kind
    for kind in (
        ChartKind("map", "Map of the United States", "one record for each of some US states", _is_map, us_map),
        ChartKind("bars", "Sorted dots with intervals", "values", lambda answer: answer.has("value"), bars),
        ChartKind("ranks", "Rank bands", "ranks", lambda answer: answer.has("rank", "location"), rank_bands),
        ChartKind("pairs", "Who differs from whom", "pairs of several locations", _has_pairs, pair_matrix, 5_000),
        ChartKind("trend", "Values by year", "several years", _has_years, series, 10_000),
        ChartKind("gaps", "Gaps between strata", "the highest and the lowest stratum", _has_gaps, gaps),
        ChartKind("strata", "Dots by stratum", "strata, of up to six locations", _has_strata, strata_dots),
        ChartKind("heat", "Heat map", "locations by strata, years or questions", _has_cells, heat_map, 10_000),
        ChartKind("spread", "Spread of estimates", "the range of several estimates", has_spread, spread),
        ChartKind("funnel", "Funnel plot", "three standard errors or more", _has_errors, funnel),
        ChartKind(
            "spine",
            "Spine chart",
            "one place by questions of one unit",
            lambda answer: _is_one_place(answer) and _has_one_unit(answer),
            spine,
            200,
        ),
        ChartKind(
            "spine_se", "Spine in standard errors", "one place by questions", _is_one_place, spine_in_errors, 200
        ),
        ChartKind("courses", "Courses over the years", "a profile", _has_courses, courses, 10_000, part="year"),
        ChartKind("rug", "Tartan rug", "places by questions, with verdicts", _is_rug, rug, 10_000),
    )
}
"""Every kind by its name."""

_OF_QUESTIONS = ("rug", "spine", "spine_se")

KINDS_OF: dict[str, tuple[str, ...]] = {
    "mean": ("map", "trend", "strata", "heat", "bars", "funnel"),
    "age_standardised_mean": ("map", "bars", "heat", "funnel"),
    "ranking": ("ranks", "map", "bars", "funnel"),
    "difference": (*_OF_QUESTIONS, "map", "bars", "funnel"),
    "change": ("map", "bars", "funnel"),
    "people": ("bars", "map"),
    "disparity_scan": ("bars",),
    "profile": ("spine", "spine_se", "courses"),
    "pairwise": ("pairs", "map", "bars"),
    "compare": ("bars", "map"),
    "distribution": ("spread", "bars"),
    "heterogeneity": ("bars",),
    "trend": ("trend", "map", "bars"),
    "disparity": ("gaps", "map", "bars"),
    "correlation": ("bars",),
    "coverage": ("trend", "heat", "bars"),
}
"""The kinds that a statistic's answers may be drawn as, best first."""


def kinds_for(document: Answer, statistic: str) -> tuple[str, ...]:
    """Return the names of the kinds of charts that fit a result, the default first; none where there is no chart."""
    answer = ChartedAnswer(statistic, document)
    return tuple(name for name in KINDS_OF.get(statistic, ()) if KINDS[name].is_for(answer))


def chart_of(
    document: Answer,
    statistic: str,
    kind: str | None = None,
    *,
    theme: str = "light",
    shapes_url: str | None = None,
    breaks: Sequence[int] = (),
) -> Spec:
    """Return a result as a chart.

    Parameters
    ----------
    document
        A result of v1 as it is stored: ``records``, ``unit``, ``cautions``, ``provenance`` and so on.
    statistic
        The name of the statistic that gave it.
    kind
        The name of a kind; None is the first that fits.
    theme
        ``light`` or ``dark``.
    shapes_url
        Where a browser gets the shapes of a map (``us_places.ATLAS``). With None they are in the spec, which is whole.
    breaks
        Years from which on the question's estimates can't be compared with earlier ones.

    Returns
    -------
    dict
        A Vega-Lite spec, JSON-able, with its data: the records, whose fields keep their names and values, are
        ``datasets.records``.

    Raises
    ------
    InvalidParameterError
        There is no such kind, or it doesn't fit this result (field ``chart``); or no such theme (field ``theme``).
    """
    colours = find_theme(theme)
    fitting = kinds_for(document, statistic)
    if kind is not None and kind not in KINDS:
        raise InvalidParameterError(
            f"chart: there is no chart {kind!r}; choose one of {', '.join(fitting or KINDS)}",
            field="chart",
            accepted=fitting or tuple(KINDS),
        )
    if not fitting or kind not in (None, *fitting):
        raise InvalidParameterError(_misfit(kind, statistic, fitting), field="chart", accepted=fitting)
    chosen = KINDS[kind or fitting[0]]
    answer = ChartedAnswer(statistic, document, tuple(breaks)).of_part(chosen.part)
    spec = framed(answer, chosen.name, chosen.draw(answer, colours), colours)
    if shapes_url is not None:
        _refer_to_shapes(spec, shapes_url)
    return spec


def _misfit(kind: str | None, statistic: str, fitting: tuple[str, ...]) -> str:
    if not fitting:
        return f"chart: there is no chart of this result of {statistic}; ask for it as JSON or CSV"
    misfit = KINDS[str(kind)]
    return (
        f"chart: {kind} needs {misfit.needs}, and at most {misfit.most:,} records, which this result of {statistic}"
        f" hasn't; choose one of {', '.join(fitting)}"
    )


def _refer_to_shapes(part: object, url: str) -> None:
    """Put an address in place of the shapes, wherever a spec names them."""
    if isinstance(part, dict):
        if part.get("name") == SHAPES:
            del part["name"]
            part["url"] = url
        part.pop(SHAPES, None)
        for value in part.values():
            _refer_to_shapes(value, url)
    elif isinstance(part, list):
        for value in part:
            _refer_to_shapes(value, url)
