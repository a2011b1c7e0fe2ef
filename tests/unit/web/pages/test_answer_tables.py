"""Any answer as a table for people: which columns there are, and how a number is written."""

from __future__ import annotations

from meantime.statistics.result import Record
from meantime.web.pages.answer_tables import MOST_ROWS, AnswerTable, answer_table

OHIO: Record = {
    "location": "Ohio",
    "year": 2023,
    "stratum": "Total",
    "value": 36.44,
    "standard_error": 0.6,
    "low": 35.2,
    "high": 37.7,
    "sample_size": 12121,
    "reliability": "ok",
    "difference": -0.04,
    "difference_low": -2.55,
    "difference_high": 2.5,
    "p_value": 0.0004,
    "p_adjusted": 0.02041,
    "verdict": "worse",
}
GUAM: Record = {**dict.fromkeys(OHIO), "location": "Guam", "year": 2023, "stratum": "Total"}
SUPPRESSED: Record = GUAM | {"reliability": "suppressed"}


def columns_of(table: AnswerTable) -> dict[str, list[str]]:
    return {column.heading: [row[i] for row in table.rows] for i, column in enumerate(table.columns)}


def test_dimensions_that_are_the_same_everywhere_are_said_once() -> None:
    table = answer_table([OHIO, GUAM])
    assert table.about == ["2023", "Total"]
    assert [column.heading for column in table.columns][:2] == ["Location", "Value"]
    assert answer_table([OHIO]).columns[0].heading == "Location"


def test_numbers_are_written_for_people() -> None:
    shown = columns_of(answer_table([OHIO, SUPPRESSED]))
    assert shown["Value"] == ["36.4", "suppressed"]
    assert shown["Interval"] == ["35.2 to 37.7", "none"]
    assert shown["Difference"] == ["\N{MINUS SIGN}0.04", ""]
    assert shown["Difference interval"] == ["\N{MINUS SIGN}2.5 to 2.5", "none"]
    assert shown["p, adjusted"] == ["0.020", ""]
    assert shown["Sample"] == ["12,121", ""]
    assert shown["Verdict"] == ["worse", "not tested"]
    assert shown["Reliability"] == ["ok", "suppressed"]


def test_a_value_that_is_not_there_is_not_called_suppressed_unless_it_is() -> None:
    assert columns_of(answer_table([OHIO, GUAM]))["Value"][1] == "no value"


def test_a_number_that_rounds_to_zero_has_no_sign_and_a_small_probability_no_digits() -> None:
    small: Record = OHIO | {"difference": -0.004, "p_adjusted": 0.0004}
    shown = columns_of(answer_table([small]))
    assert shown["Difference"] == ["0.00"]
    assert shown["p, adjusted"] == ["< 0.001"]


def test_all_columns_are_every_field_but_what_is_said_once() -> None:
    table = answer_table([OHIO, GUAM], has_all_columns=True)
    fields = {column.field for column in table.columns}
    ends = {"high", "difference_high"}
    assert fields == set(OHIO) - ends - {"year", "stratum", "reliability"}
    assert table.field_count == len(OHIO)


def test_a_long_table_says_how_many_rows_it_leaves_out() -> None:
    many: list[Record] = [OHIO | {"location": str(place)} for place in range(MOST_ROWS + 3)]
    table = answer_table(many)
    assert (len(table.rows), table.left_out) == (MOST_ROWS, 3)


def test_an_answer_without_records_is_an_empty_table() -> None:
    table = answer_table([])
    assert (list(table.columns), table.rows, table.left_out) == ([], [], 0)
