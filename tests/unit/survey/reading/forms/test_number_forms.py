"""How numbers are written is told from all number columns together, or refused with the setting that states it."""

from __future__ import annotations

from pathlib import Path

import pytest

from meantime.errors import DataError
from meantime.survey.reading.forms.number_forms import (
    NumberColumn,
    NumberForm,
    UndecidedNumbersError,
    derive_number_form,
)
from tests.unit.survey.tables import csv_text, read, written

pytestmark = pytest.mark.slow

HEADER = ("Question", "LocationDesc", "YearStart", "Data_Value", "Sample_Size")


def table(values: list[str], sizes: list[str] | None = None) -> str:
    """Return a table with semicolons: one location for each value."""
    pairs = zip(values, sizes or ["100"] * len(values), strict=True)
    return csv_text(
        (f"Q;L{place};2020;{value};{size}" for place, (value, size) in enumerate(pairs)), [";".join(HEADER)]
    )


READ: dict[str, tuple[list[str], list[str], list[float], list[float]]] = {
    # how numbers are written: the values, the sample sizes, what they mean
    "decimal commas": (["20,8", "7"], ["100", "90"], [20.8, 7.0], [100, 90]),
    "decimal commas and dots between thousands": (["1.234,5", "7,1"], ["1.204", "310"], [1234.5, 7.1], [1204, 310]),
    "commas between thousands": (["1,001.3", "150.0"], ["12,204", "310"], [1001.3, 150.0], [12204, 310]),
    "commas in one column tell of another": (["20.8", "7.1"], ["1,204", "310"], [20.8, 7.1], [1204, 310]),
    "commas in one column tell of another one's dots": (["20,8", "7,1"], ["1.204", "310"], [20.8, 7.1], [1204, 310]),
    "several groups": (["1,234,567", "7"], ["1", "2"], [1234567.0, 7.0], [1, 2]),
    "blanks": (["1 234,5", "7,1"], ["1 204", "310"], [1234.5, 7.1], [1204, 310]),
    "no-break blanks": (["1\u00a0234,5", "7,1"], ["1\u202f204", "310"], [1234.5, 7.1], [1204, 310]),
    "apostrophes": (["1'234.5", "7.1"], ["1\u2019204", "310"], [1234.5, 7.1], [1204, 310]),
    "percent signs": (["20.8%", "7 %"], ["1", "2"], [20.8, 7.0], [1, 2]),
    "percent signs after no-break blanks": (["20,8\u00a0%", "7,1\u00a0%"], ["1", "2"], [20.8, 7.1], [1, 2]),
    "true minus signs": (["\u22121.2", "0.3"], ["1", "2"], [-1.2, 0.3], [1, 2]),
    "plus signs and exponents": (["+1,2", "1,2E+01"], ["1", "2"], [1.2, 12.0], [1, 2]),
    "a leading zero is no thousand": (["0,123", "0,456"], ["1", "2"], [0.123, 0.456], [1, 2]),
    "four digits before": (["1234,567", "7"], ["1", "2"], [1234.567, 7.0], [1, 2]),
    "blanks around": ([" 12,5 ", "\t3,1"], ["1", "2"], [12.5, 3.1], [1, 2]),
}


@pytest.mark.parametrize("kind", READ)
def test_numbers_are_read_as_people_write_them(kind: str, tmp_path: Path) -> None:
    values, sizes, expected, people = READ[kind]
    cube, _ = read(written(tmp_path, table(values, sizes)))
    assert cube.cells.value_sum.tolist() == expected
    assert cube.cells.sample_size_sum.tolist() == people


UNDECIDED: dict[str, tuple[str, str, str]] = {
    # what is uncertain: a table, what a mapping states, what the message says
    "a comma before three digits": (
        table(["1,234", "5"]),
        "",
        "'1,234' can be 1234 or 1.234; state `thousands = \",\"` or",
    ),
    "a point before three digits, beside whole numbers of three": (
        table(["1.201", "1.305", "950"]),
        "",
        '\'1.201\' can be 1201 or 1.201; state `thousands = "."` or `decimal = "."` under [file]',
    ),
    "rounded thousands": (table(["1.200", "30.000", "950", "0"]), "", "'1.200' can be 1200 or 1.200; state"),
    "three digits in every number, without commas between fields": (table(["1.201", "12.305"]), "", "'1.201' can be"),
    "points in a column of persons": (table(["20", "7"], ["1.204", "88"]), "", "'1.204' can be 1204 or 1.204; state"),
    "both signs": (table(["20.8", "20,8"]), "", "decimals are written both ways, '20.8' and '20,8'"),
    "percent signs here and there": (table(["12%", "0.2"]), "", "'12%' and '0.2', with and without a percent sign"),
    "a count that isn't whole": (table(["20,8", "7"], ["1,204", "9"]), "", "'1,204' is no whole number where ','"),
    "decimals of another sign than stated": (table(["1.2", "2"]), '[file]\ndecimal = ","', "'1.2' has another decimal"),
    "thousands of another sign than stated": (table(["1.2", "2"]), '[file]\nthousands = "."', "'1.2' has '.' before"),
    "a footnote mark": (table(["25.1*", "2"]), "", "'25.1*' is no number: a footnote mark or a unit after the number?"),
    "a footnote mark after a blank": (table(["38.3 \u2020", "2"]), "", "a footnote mark or a unit after the number?"),
    "a small figure": (table(["38.3\u00b9", "2"]), "", "a footnote mark or a unit after the number?"),
    "brackets": (table(["(1.2)", "2"]), "", "in brackets: a negative number, or one that isn't reliable?"),
    "two numbers": (table(["19.5-22.1", "2"]), "", "two numbers, perhaps limits"),
    "per mille": (table(["12\u2030", "2"]), "", "per mille is read without its sign"),
    "digits of another script": (table(["\u0662\u0660", "2"]), "", "write digits as 0-9"),
    "a formula": (table(['"=""12.3"""', "2"]), "", "a formula of a spreadsheet; save the values"),
    "a dash for a minus": (table(["\u20131.2", "2"]), "", "write a minus sign as -"),
    "too large a number": (table(["1e999", "2"]), "", "'1e999' is no number"),
    "a group of two digits": (table(["1,001.3", "12,34.5"]), "", "'12,34.5' is no number"),
}


@pytest.mark.parametrize("kind", UNDECIDED)
def test_what_is_uncertain_is_refused_with_what_would_help(kind: str, tmp_path: Path) -> None:
    content, mapping, expected = UNDECIDED[kind]
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content), mapping)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [('thousands = ","', [1234.0, 5.0]), ('decimal = ","', [1.234, 5.0])],
)
def test_a_mapping_states_what_is_uncertain(stated: str, expected: list[float], tmp_path: Path) -> None:
    cube, _ = read(written(tmp_path, table(["1,234", "5"])), f"[file]\n{stated}")
    assert cube.cells.value_sum.tolist() == expected


def test_a_stated_sign_is_obeyed_where_plain_reading_would_be_possible_too(tmp_path: Path) -> None:
    source = written(tmp_path, table(["1.234", "5"]))
    assert read(source)[0].cells.value_sum.tolist() == [1.234, 5.0]
    assert read(source, '[file]\nthousands = "."')[0].cells.value_sum.tolist() == [1234.0, 5.0]
    assert read(source, '[file]\ndecimal = ","')[0].cells.value_sum.tolist() == [1234.0, 5.0]


POINTS: dict[str, tuple[list[str], list[str]]] = {
    # what tells that a point before three digits is a decimal sign: values and sample sizes
    "another number of digits behind one": (["1.201", "1.3", "950"], ["100", "100", "100"]),
    "a number below 1": (["1.201", "0.305", "950"], ["100", "100", "100"]),
    "a thousand without a mark": (["1.201", "1.305", "1950"], ["100", "100", "100"]),
    "a thousand without a mark in another column": (["1.201", "1.305", "950"], ["100", "1204", "100"]),
    "a small whole number": (["1.201", "1.305", "95"], ["100", "100", "100"]),
}


@pytest.mark.parametrize("kind", POINTS)
def test_a_point_before_three_digits_is_a_decimal_sign_where_something_tells(kind: str, tmp_path: Path) -> None:
    values, sizes = POINTS[kind]
    cube, report = read(written(tmp_path, table(values, sizes)))
    assert cube.cells.value_sum.tolist() == [float(text) for text in values]
    assert "written_numbers" not in {note.kind for note in report.notes}


def test_three_decimals_in_every_number_are_decimals_beside_commas_between_fields(tmp_path: Path) -> None:
    rows = csv_text(["Q,Ohio,2020,27.345,100", "Q,Utah,2020,26.120,90"], HEADER)
    assert read(written(tmp_path, rows))[0].cells.value_sum.tolist() == [27.345, 26.12]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [('thousands = "."', [1201.0, 1305.0, 950.0]), ('decimal = "."', [1.201, 1.305, 950.0])],
)
def test_a_mapping_states_what_points_before_three_digits_mean(
    stated: str, expected: list[float], tmp_path: Path
) -> None:
    cube, _ = read(written(tmp_path, table(["1.201", "1.305", "950"])), f"[file]\n{stated}")
    assert cube.cells.value_sum.tolist() == expected


@pytest.mark.parametrize("written_as", ["\u00b11,2", "\u00b1 1,2", "+/-1,2", "+/- 1,2", "+1,2", "1,2"])
def test_a_margin_of_error_may_have_its_sign(written_as: str, tmp_path: Path) -> None:
    header = ["Question;LocationDesc;YearStart;Data_Value;Margin_Of_Error"]
    cube, _ = read(written(tmp_path, csv_text([f"Q;Ohio;2020;20,8;{written_as}"], header)))
    assert cube.cells.variance_sum.tolist() == pytest.approx([(1.2 / 1.959964) ** 2])


def test_a_value_with_the_sign_of_a_margin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'\u00b11.2' is no number: a margin of error"):
        read(written(tmp_path, table(["\u00b11.2", "2.5"])))


def test_one_thousand_after_many_rows_is_found(tmp_path: Path) -> None:
    values = [f"{place % 90 + 10}.5" for place in range(3000)]
    cube, report = read(written(tmp_path, table([*values, "1,001.3"])))
    assert (cube.cells.value_sum.max(), report.value_count) == (1001.3, 3001)
    assert [note.kind for note in report.notes if note.kind == "written_numbers"] == ["written_numbers"]


MARKS = ["*", "-", "\u2013", "NA", "N/A", "NR", "\u2020", "..", ":", "<5", "<0.1", ">99", "#N/A", "NaN", "Suppressed"]


@pytest.mark.parametrize("mark", MARKS)
def test_a_suppression_mark_is_refused_with_the_line_that_states_it(mark: str, tmp_path: Path) -> None:
    source = written(tmp_path, table(["20.8", mark, mark]))
    with pytest.raises(DataError) as caught:
        read(source)
    setting = f'missing = ["{mark}"]'
    assert f"table.csv, line 3, column 'Data_Value': {mark!r} is no number; state `{setting}`" in str(caught.value)
    assert "(in 2 fields)" in str(caught.value)
    _, report = read(source, f"[names]\n{setting}")
    assert (report.value_count, report.suppressed_count) == (1, 2)


def test_all_marks_of_a_table_are_named_at_once_beside_those_that_are_stated(tmp_path: Path) -> None:
    source = written(tmp_path, table(["1,5", "*", "<5", "."], ["NA", "3", "4", "NA"]))
    with pytest.raises(DataError, match=r'`missing = \["\.", "NA", "\*", "<5"\]`.*\(in 2, 1, 1 fields\)'):
        read(source, '[names]\nmissing = ["."]')


def test_a_form_is_told_from_texts_alone() -> None:
    columns = [NumberColumn("a", ["20,8", "*", "12.03.2019"]), NumberColumn("b", ["1.204"], is_count=True)]
    assert derive_number_form(columns) == NumberForm(decimal=",", thousands=".")
    with pytest.raises(UndecidedNumbersError, match="can be 1234 or"):
        derive_number_form([NumberColumn("a", ["1,234"])])
