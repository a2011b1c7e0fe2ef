"""The statistic ``compare``: two strata, two years or two questions, for each location.

The arithmetic of a difference, with its sources, is in ``contrasts.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.cautions import cautions_of_gaps, cautions_of_limits
from meantime.statistics.estimation.contrasts import (
    SIMILAR,
    TEST_FORMULA,
    Contrasts,
    cautions_of_direction,
    cautions_of_many_tests,
    contrasts,
)
from meantime.statistics.estimation.explanation import explain as explanation_of
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.pooling_options import EXPLAIN, LEVEL, SCALE, settle_scale
from meantime.statistics.estimation.selection import (
    FILTERS,
    Filters,
    Selection,
    cells_selected,
    chosen_segments,
    select,
    settle_filters,
    texts,
    years_with_values,
)
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.statistics.result import Result, records_of
from meantime.survey.cube.survey_cube import SurveyCube

METHOD = "compare/1"
AGAINST_QUESTION = Parameter(
    name="against_question",
    kind=ParameterKind.QUESTION,
    summary="The question to compare with, by text or id.",
    default_summary="none",
    example="Q037",
)
AGAINST_YEAR = Parameter(
    name="against_year",
    kind=ParameterKind.YEAR,
    summary="The year to compare with.",
    default_summary="none",
    example=2013,
)
AGAINST_STRATUM = Parameter(
    name="against_stratum",
    kind=ParameterKind.STRATUM,
    summary="The stratum to compare with; `strata` then names the other one.",
    default_summary="none",
    example="Male",
)
REFERENCES = (AGAINST_QUESTION, AGAINST_YEAR, AGAINST_STRATUM)
PARAMETERS = (*FILTERS, *REFERENCES, SCALE, LEVEL, EXPLAIN)


def settle(cube: SurveyCube, arguments: dict[str, object]) -> dict[str, object]:
    """Fill defaults that depend on the data and check what depends on several parameters.

    Raises
    ------
    InvalidParameterError
        Not exactly one of the ``against_`` parameters is given, more than one year or stratum is selected, or a
        thing would be compared with itself.
    """
    given = [parameter.name for parameter in REFERENCES if arguments[parameter.name] is not None]
    if len(given) != 1:
        names = tuple(parameter.name for parameter in REFERENCES)
        raise InvalidParameterError(
            f"{(given or names)[-1]}: give exactly one of {', '.join(names)}; {len(given)} are given",
            field=(given or names)[-1],
            accepted=names,
        )
    settle_common_year(cube, arguments)
    settle_filters(cube, arguments)
    settle_scale(cube, arguments)
    _require_one(cube, arguments)
    if arguments["against_question"] == arguments["question"]:
        raise _refuse_itself("against_question", arguments["question"])
    years = arguments["years"]
    if isinstance(years, list) and arguments["against_year"] == years[0]:
        raise _refuse_itself("against_year", years[0])
    if arguments["against_stratum"] in (texts(arguments["strata"]) or ()):
        raise _refuse_itself("against_stratum", arguments["against_stratum"])
    return arguments


def settle_common_year(cube: SurveyCube, arguments: dict[str, object]) -> None:
    """Set ``years``, if absent, to the newest in which both questions have a value.

    Raises
    ------
    InvalidParameterError
        There is none.
    """
    if arguments["against_question"] is None or arguments["years"] is not None:
        return
    own = years_with_values(cube, str(arguments["question"]))
    both = sorted(set(own) & set(years_with_values(cube, str(arguments["against_question"]))))
    if not both:
        raise InvalidParameterError(
            "against_question: the two questions have no year in common; choose another question",
            field="against_question",
        )
    arguments["years"] = both[-1:]


def _require_one(cube: SurveyCube, arguments: dict[str, object]) -> None:
    years = arguments["years"]
    if isinstance(years, list) and len(years) != 1:
        raise InvalidParameterError(
            f"years: {len(years)} years are selected; compare takes one, and against_year the other", field="years"
        )
    categories, strata = texts(arguments["categories"]), texts(arguments["strata"])
    segments = chosen_segments(cube, categories, strata)
    if len(segments) != 1:
        raise InvalidParameterError(
            f"strata: {len(segments)} strata are selected; compare takes one, and against_stratum the other",
            field="strata",
            accepted=[cube.segments[index].stratum for index in segments],
        )
    if arguments["against_stratum"] is not None:
        _reference_segment(cube, str(arguments["against_stratum"]), cube.segments[segments[0]].category)


def _reference_segment(cube: SurveyCube, stratum: str, category: str) -> int:
    """Return the index of the stratum to compare with: of the same category, else the only one of that name.

    Raises
    ------
    InvalidParameterError
        Other categories have several strata of that name.
    """
    found = [index for index, segment in enumerate(cube.segments) if segment.stratum == stratum]
    same = [index for index in found if cube.segments[index].category == category]
    if len(same or found) != 1:
        raise InvalidParameterError(
            f"against_stratum: {len(found)} categories have a stratum {stratum!r}; take one of {category!r}",
            field="against_stratum",
        )
    return (same or found)[0]


def _refuse_itself(field: str, value: object) -> InvalidParameterError:
    return InvalidParameterError(f"{field}: {value} would be compared with itself; choose another", field=field)


def compare(
    cube: SurveyCube,
    *,
    against_question: str | None,
    against_year: int | None,
    against_stratum: str | None,
    scale: str,
    level: float,
    explain: bool,
    **filters: Unpack[Filters],
) -> Result:
    """Return, for each location, the selected estimate minus the same location's other one.

    Parameters
    ----------
    cube
        The dataset.
    against_question, against_year, against_stratum
        Exactly one: what differs between the two estimates.
    scale, level, explain
        See ``means.mean``.
    **filters
        See ``selection.Filters``; they select one year and one stratum.

    Returns
    -------
    Result
        One record per location that has a row on both sides, by name; ``difference`` is the selected estimate minus
        the reference, in percentage points. The verdict is by the question's direction (``better``: the
        selected one is); between two questions it is ``higher``, ``similar`` or ``lower``.

    Raises
    ------
    StatisticError
        One side has no row, or no location has a row on both.

    Notes
    -----
    See ``contrasts.contrasts``.
    """
    chosen = select(cube, **filters)
    other = _other_side(chosen, against_question, against_year, against_stratum)
    sides = _on_both_sides(chosen, other)
    own, reference = (pool(group(side, [LOCATION]), scale=scale, level=level) for side in sides)
    found = contrasts(
        own.value,
        own.standard_error,
        reference.value,
        reference.standard_error,
        level=level,
        direction=chosen.question.direction if against_question is None else None,
    )
    columns = own.groups.dimension_columns() | own.common_columns() | found.columns(reference.low, reference.high)
    columns["reference_sample_size"] = reference.common_columns()["sample_size"]
    columns["against"] = [_named(other, chosen)] * len(own)
    return Result(
        records=records_of(columns),
        unit=chosen.question.unit,
        method=f"{own.method(METHOD)}; difference = {_named(chosen, other)} - {_named(other, chosen)}, {TEST_FORMULA}",
        cautions=tuple(_cautions(chosen, other, own, reference, found)),
        explanation=_explanation(own, reference, found) if explain else None,
    )


def _other_side(chosen: Selection, question: str | None, year: int | None, stratum: str | None) -> Selection:
    segments = chosen.segments
    if stratum is not None:
        category = chosen.cube.segments[segments[0]].category
        segments = (_reference_segment(chosen.cube, stratum, category),)
    years = chosen.years if year is None else (year,)
    return cells_selected(chosen.cube, question or chosen.question.text, years, chosen.locations, segments)


def _on_both_sides(first: Selection, second: Selection) -> tuple[Selection, Selection]:
    """Return both selections with only the locations that have a row in each."""
    locations = first.cube.cells.location
    both = np.intersect1d(locations[first.cells], locations[second.cells])
    if not len(both):
        raise StatisticError("no location has a row on both sides; widen the filters or compare something else")
    kept = []
    for side in (first, second):
        cells = side.cells[np.isin(locations[side.cells], both)]
        kept.append(replace(side, cells=cells))
    return kept[0], kept[1]


def _named(side: Selection, other: Selection) -> str:
    """Return what sets one side apart from the other."""
    if side.question != other.question:
        return side.question.text
    if side.years != other.years:
        return str(side.years[0])
    return side.cube.segments[side.segments[0]].stratum


def _cautions(chosen: Selection, other: Selection, own: Estimates, reference: Estimates, found: Contrasts) -> list[str]:
    cautions = list(
        dict.fromkeys(
            caution for side in (own, reference) for caution in cautions_of_gaps(side) + cautions_of_limits(side)
        )
    )
    if chosen.question != other.question:
        cautions.append(
            "both questions were put to the same people, so their estimates are not independent;"
            " the interval may be too wide or too narrow"
        )
    else:
        cautions += cautions_of_direction(chosen)
    segments = {chosen.cube.segments[index] for side in (chosen, other) for index in side.segments}
    if len(segments) > 1 and (
        len({segment.category for segment in segments}) > 1 or any(segment.is_overall for segment in segments)
    ):
        cautions.append("the two strata overlap, so their estimates are not independent")
    return cautions + cautions_of_many_tests(found.test_count, own.level)


def _explanation(own: Estimates, reference: Estimates, found: Contrasts) -> dict[str, object]:
    similar = found.verdict.count(SIMILAR)
    pitfall = (
        f"In {similar} of {found.test_count} locations the difference may be chance."
        " Two intervals that overlap may still differ; the test is on the difference itself."
    )
    return explanation_of(own, [pitfall], references={"reference": reference})
