"""The statistic ``compare``: two strata, two years or two questions, for each location.

The arithmetic of a difference, with its sources, is in ``contrasts.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

from meantime.errors import InvalidParameterError
from meantime.fields.fields import Default, Example
from meantime.statistics.estimation.comparisons.contrasts import (
    TEST_FORMULA,
    Contrasts,
    contrasts,
)
from meantime.statistics.estimation.comparisons.multiplicity import AdjustOption
from meantime.statistics.estimation.comparisons.sides import (
    cautions_of_sides,
    named,
    on_both_sides,
    reference_segment,
)
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places, YearsFilter, newest_common_year
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.nation import (
    PANEL_NAME,
    cautions_of_lacking_states,
    check_panel,
    fixed_panel,
)
from meantime.statistics.estimation.options import (
    ExplainOption,
    LevelOption,
    MarginOption,
    Panel,
    PanelOption,
    ScaleOption,
    check_margin,
    check_scale,
)
from meantime.statistics.estimation.pooling import Estimates, pool, worse_reliability
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.kinds import QUESTION_NAME, STRATUM_NAME, Year
from meantime.statistics.result import Result, records_of
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube


@dataclass(frozen=True, kw_only=True)
class Compare(Filters):
    """For each location, the selected estimate minus the same location's other one.

    Exactly one of the ``against_`` fields says what differs between the two; the filters select one year and stratum.
    """

    name = "compare"
    title = "Comparison of two strata, years or questions"
    summary = "Two strata, two years or two questions for each location, with the interval of their difference."
    unit = "percent"
    method = "compare/2: selected estimate minus the other, two-sided z-test"
    example: ClassVar = {"question": "Q036", "years": [2023], "strata": ["Female"], "against_stratum": "Male"}
    documentation = "methods/compare.md"

    years: Annotated[
        YearsFilter, Default("the newest year in which the question has a value, and `against_question` if it is given")
    ] = None
    against_question: Annotated[
        str | None, QUESTION_NAME, "The question to compare with, by text or id.", Default("none"), Example("Q037")
    ] = None
    against_year: Annotated[int | None, Year(), "The year to compare with.", Default("none"), Example(2013)] = None
    against_stratum: Annotated[
        str | None,
        STRATUM_NAME,
        "The stratum to compare with; `strata` then names the other one.",
        Default("none"),
        Example("Male"),
    ] = None
    panel: PanelOption = Panel.PUBLISHED.value
    adjust: AdjustOption = "bh"
    margin: MarginOption = None
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def settled(self, cube: SurveyCube) -> Self:
        """Fill the defaults of the filters.

        Raises
        ------
        InvalidParameterError
            As for the filters; or not exactly one of the ``against_`` fields is given, more than one year or stratum
            is selected, a thing would be compared with itself, or a fixed panel is asked for what isn't the nation.
        """
        references = {
            "against_question": self.against_question,
            "against_year": self.against_year,
            "against_stratum": self.against_stratum,
        }
        given = [name for name, value in references.items() if value is not None]
        if len(given) != 1:
            raise InvalidParameterError(
                f"{(given or list(references))[-1]}: give exactly one of {', '.join(references)};"
                f" {len(given)} are given",
                field=(given or list(references))[-1],
                accepted=tuple(references),
            )
        if self.panel == Panel.FIXED and self.locations is None and self.include is None:
            return replace(self, include=("nation",)).settled(cube)
        return super().settled(cube)

    def default_years(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return the newest year in which the question has a value, and so has the other question if there is one."""
        if self.against_question is None:
            return super().default_years(cube)
        return newest_common_year(cube, self.question, self.against_question)

    def check(self, places: Places) -> None:
        """Check that one thing is compared with one other."""
        cube, years, segments = places.cube, places.years, places.segments
        check_scale(cube, self.question, self.scale)
        check_margin(cube, self.question, self.margin)
        check_panel(cube, self.panel, places.locations)
        if self.panel == Panel.FIXED and self.against_year is None:
            raise InvalidParameterError("panel: a fixed panel is for two years; give against_year", field="panel")
        if len(years) != 1:
            raise InvalidParameterError(
                f"years: {len(years)} years are selected; compare takes one, and against_year the other", field="years"
            )
        if len(segments) != 1:
            raise InvalidParameterError(
                f"strata: {len(segments)} strata are selected; compare takes one, and against_stratum the other",
                field="strata",
                accepted=[cube.segments[index].stratum for index in segments],
            )
        if self.against_stratum is not None:
            reference_segment(cube, self.against_stratum, cube.segments[segments[0]].category)
        for field, other, own in (
            ("against_question", self.against_question, (self.question,)),
            ("against_year", self.against_year, years),
            ("against_stratum", self.against_stratum, self.strata or ()),
        ):
            if other in own:
                raise InvalidParameterError(
                    f"{field}: {other} would be compared with itself; choose another", field=field
                )

    def compute(self, data: StatisticData) -> Result:
        """Return one record per location that has a row on both sides, by name.

        ``difference`` is the selected estimate minus the reference, in percentage points. Verdicts are by the
        question's direction (``better``: the selected one is), between two questions ``higher`` or ``lower``; see
        ``verdicts.py``. ``reliability`` is the worse of both sides. With a fixed panel there is one record, of the
        states that have a value on both sides.

        Raises
        ------
        StatisticError
            The dataset has no row there, or no location has one on both sides.

        Notes
        -----
        See ``contrasts.contrasts``. Independence holds for two years and for two strata of one category; for two
        questions or overlapping strata a caution says that it doesn't.
        """
        chosen = self.select(data.cube)
        other = self._other_side(chosen)
        panel = fixed_panel([chosen, other]) if self.panel == Panel.FIXED else None
        if panel is None:
            own, reference = self._pool(on_both_sides(chosen, other))
        else:
            own, reference = panel.pooled(scale=self.scale, level=self.level)
        found = contrasts(
            own.value,
            own.standard_error,
            reference.value,
            reference.standard_error,
            level=self.level,
            direction=chosen.question.direction if self.against_question is None else None,
            adjust=self.adjust,
            margin=self.margin,
        )
        columns = own.groups.dimension_columns() | own.common_columns() | found.columns(reference.low, reference.high)
        columns["reliability"] = worse_reliability(own, reference)
        columns["reference_sample_size"] = reference.common_columns()["sample_size"]
        columns["against"] = [named(other, chosen)] * len(own)
        if panel is not None:
            columns = {"location": [PANEL_NAME]} | columns
        return Result(
            records=records_of(columns),
            unit=chosen.question.unit,
            method=f"{own.method(self.versioned_method())};"
            f"{'' if panel is None else ' P is the sample size in both years together;'}"
            f" difference = {named(chosen, other)} - {named(other, chosen)}, {TEST_FORMULA}; {found.method()}",
            cautions=(
                *(cautions_of_lacking_states([chosen, other]) if panel is None else panel.cautions()),
                *cautions_of_sides(chosen, other, own, reference),
                *found.cautions(),
            ),
            explanation=_explanation(own, reference, found) if self.explain else None,
        )

    def _pool(self, sides: Sequence[Selection]) -> list[Estimates]:
        return [pool(group(side, [LOCATION]), scale=self.scale, level=self.level) for side in sides]

    def _other_side(self, chosen: Selection) -> Selection:
        years = None if self.against_year is None else (self.against_year,)
        segments = None
        if self.against_stratum is not None:
            category = chosen.cube.segments[chosen.segments[0]].category
            segments = (reference_segment(chosen.cube, self.against_stratum, category),)
        return chosen.elsewhere(question=self.against_question, years=years, segments=segments)


def _explanation(own: Estimates, reference: Estimates, found: Contrasts) -> dict[str, object]:
    pitfall = (
        f"In {found.unclear_count} of {found.test_count} locations the difference may be chance."
        " Two intervals that overlap may still differ; the test is on the difference itself."
    )
    return explain(own, [pitfall], references={"reference": reference})
