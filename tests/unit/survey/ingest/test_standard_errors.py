"""Standard errors: stated, of a margin of error, or of limits, at the level that a mapping states."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from tests.unit.survey.tables import read, written

pytestmark = pytest.mark.slow

Z = {90: 1.6448536269514722, 95: 1.959964, 99: 2.5758293035489004}  # normal quantiles, two-sided
TABLE = """Question,LocationDesc,YearStart,Data_Value,SE,MOE,Low,High
Q,A stated one,2020,20,0.5,1.5,19,22
Q,B margin alone,2020,20,,1.5,19,22
Q,C limits alone,2020,20,,,19,22
Q,D nothing,2020,20,,,,
Q,E limits apart,2020,20,,,21,22
Q,F below zero,2020,20,-1,-1,,
Q,G no value,2020,,0.5,1.5,19,22
"""
LIMITS = 'low = "Low"\nhigh = "High"\n'


def expected(row: dict[str, str], role: str, level: int) -> float | None:
    """Return the standard error of a row by the rules, in plain Python; None where it has none."""
    if not row["Data_Value"]:
        return None
    if role == "standard_error" and row["SE"] and float(row["SE"]) >= 0:
        return float(row["SE"])
    if role == "margin_of_error" and row["MOE"] and float(row["MOE"]) >= 0:
        return float(row["MOE"]) / Z[level]
    if row["Low"] and float(row["Low"]) <= float(row["Data_Value"]) <= float(row["High"]):
        return (float(row["High"]) - float(row["Low"])) / (2 * Z[level])
    return None


@pytest.mark.parametrize("level", Z)
@pytest.mark.parametrize(("role", "header"), [("standard_error", "SE"), ("margin_of_error", "MOE"), ("", "")])
def test_a_standard_error_comes_from_its_column_or_the_margin_or_the_limits(
    role: str, header: str, level: int, tmp_path: Path
) -> None:
    columns = f'{role} = "{header}"\n{LIMITS}' if role else LIMITS
    mapping = f"[columns]\n{columns}[values]\nconfidence_percent = {level}\n"
    cube, _ = read(written(tmp_path, TABLE), mapping)
    for row, count, variance in zip(
        csv.DictReader(TABLE.splitlines()), cube.cells.variance_count, cube.cells.variance_sum, strict=True
    ):
        error = expected(row, role, level)
        assert count == (error is not None), row["LocationDesc"]
        assert math.isclose(math.sqrt(variance), error or 0.0, rel_tol=1e-9), row["LocationDesc"]


def test_limits_of_another_level_become_those_of_95_percent_on_each_side(tmp_path: Path) -> None:
    cube, _ = read(written(tmp_path, TABLE), f"[columns]\n{LIMITS}[values]\nconfidence_percent = 90\n")
    factor = Z[95] / Z[90]
    assert math.isclose(cube.cells.low[2], 20 - 1 * factor, rel_tol=1e-9)
    assert math.isclose(cube.cells.high[2], 20 + 2 * factor, rel_tol=1e-9)


def test_a_table_with_standard_errors_alone_has_intervals(tmp_path: Path) -> None:
    cube, report = read(written(tmp_path, TABLE), '[columns]\nstandard_error = "SE"\n')
    assert cube.cells.variance_count.tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert report.columns["standard_error"] == "SE"
