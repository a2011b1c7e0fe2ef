"""What reading a table found, and what its reader should know before trusting its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meantime.survey.cube.limits import LimitSymmetry
from meantime.survey.cube.scale import extent_of, scale_doubt
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.reading.profile import SPREADSHEET_DATES, normal
from meantime.survey.reading.row_faults import LeftOutRow


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What reading a source found. Counts are rows of the source.

    ``limits`` counts the percentages with limits, and those among them that lie in the middle of these on each scale.
    ``duration_s`` and ``engine`` are of the reading and not of the data; no result holds them.
    """

    row_count: int
    value_count: int
    suppressed_count: int
    left_out_count: int = 0
    left_out_examples: tuple[LeftOutRow, ...] = ()
    question_count: int
    location_count: int
    segment_count: int
    years: tuple[int, ...]
    columns: Mapping[str, str]  # role -> the column's name in the file
    columns_missing: tuple[str, ...] = ()  # optional roles that the file has no column for
    footnotes: Mapping[str, int]  # footnote text -> rows
    limits: LimitSymmetry
    duration_s: float
    engine: str
    warnings: tuple[str, ...] = ()


def report_warnings(cube: SurveyCube, ambiguous: Sequence[str]) -> tuple[str, ...]:
    """Return one line for each thing that may surprise.

    Parameters
    ----------
    cube
        The cube that was built.
    ambiguous
        Questions and locations that have more than one id or abbreviation in the source.
    """
    found = [
        _ambiguous(ambiguous),
        _several_estimates(cube),
        _without_limits(cube),
        _doubtful_scale(cube),
        _without_direction(cube),
        _without_overall(cube),
        _spreadsheet_dates(cube),
    ]
    return tuple(line for line in found if line)


def _ambiguous(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"more than one id or abbreviation for {', '.join(repr(name) for name in names[:3])}; the last one is kept"


def _several_estimates(cube: SurveyCube) -> str:
    most = int(cube.cells.row_count.max())
    cell_count = int((cube.cells.row_count > 1).sum())
    if not cell_count:
        return ""
    return (
        f"{cell_count:,} cells hold more than one estimate (up to {most:,}); "
        "perhaps a column that tells them apart is not mapped"
    )


def _without_limits(cube: SurveyCube) -> str:
    count = int((cube.cells.value_count - cube.cells.variance_count).sum())
    if not count:
        return ""
    return f"{count:,} values have no usable confidence limits; they count in values, not in standard errors"


def _doubtful_scale(cube: SurveyCube) -> str:
    doubts = [scale_doubt(each.unit, extent_of(cube, place)) for place, each in enumerate(cube.questions)]
    doubtful = [(each.text, doubt) for each, doubt in zip(cube.questions, doubts, strict=True) if doubt]
    if not doubtful:
        return ""
    others = f" (and {len(doubtful) - 1} more questions)" if len(doubtful) > 1 else ""
    return f"{doubtful[0][0]!r}{others}: {doubtful[0][1]}"


def _without_direction(cube: SurveyCube) -> str:
    unsaid = [each for each in cube.questions if each.direction is None and not each.undirected_because]
    texts = [question.text for question in unsaid]
    if not texts:
        return ""
    return (
        f"nobody has said which end is better for {len(texts)} of {len(cube.questions)} questions, "
        f"such as {texts[0]!r}; a mapping file can, under [directions]"
    )


def _without_overall(cube: SurveyCube) -> str:
    if any(segment.is_overall for segment in cube.segments):
        return ""
    return "no stratum stands for everybody; a mapping file can name it, as `overall` under [names]"


def _spreadsheet_dates(cube: SurveyCube) -> str:
    strata = [segment.stratum for segment in cube.segments if normal(segment.stratum) in SPREADSHEET_DATES]
    if not strata:
        return ""
    return f"{', '.join(strata)} look like ranges that a spreadsheet turned into dates; they are kept as in the file"
