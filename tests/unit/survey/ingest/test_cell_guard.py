"""A cell is one estimate: what shares one is counted once, refused with a way out, or pooled where that is allowed."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import duckdb
import numpy as np
import pytest

from meantime.errors import DataError
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.ingest_report import IngestReport
from meantime.survey.questions import Z_95
from tests.unit.survey.tables import read, written

CDC = "YearStart,LocationAbbr,LocationDesc,Question,Data_Value,Low_Confidence_Limit,High_Confidence_Limit,Sample_Size"


def table_of(header: str, *rows: str) -> str:
    return "\n".join((header, *rows)) + "\n"


def read_text(folder: Path, text: str, mapping: str = "") -> tuple[SurveyCube, IngestReport]:
    return read(written(folder, text), mapping)


def refused(folder: Path, text: str, mapping: str = "") -> DataError:
    with pytest.raises(DataError) as caught:
        read_text(folder, text, mapping)
    return caught.value


def toml(setting: tuple[str, str]) -> str:
    """Return a proposed line as a mapping file."""
    section, line = setting
    return f"[{section}]\n{line}\n"


def figures(cube: SurveyCube) -> dict[tuple[str, str, int, str, str], float]:
    """Return the value of each cell by its place; every cell must be one estimate."""
    cells = cube.cells
    assert set(cells.row_count.tolist()) == {1}
    return {
        (
            cube.questions[cells.question[i]].text,
            cube.locations[cells.location[i]].name,
            int(cells.year[i]),
            cube.segments[cells.segment[i]].category,
            cube.segments[cells.segment[i]].stratum,
        ): float(cells.value_sum[i])
        for i in range(len(cells))
    }


TYPES = table_of(
    f"{CDC},Data_Value_Type",
    "2021,NE,Nebraska,Sleeps,41.5,40,43,900,Crude Prevalence",
    "2021,NE,Nebraska,Sleeps,38.5,37,40,900,Age-adjusted Prevalence",
    "2021,UT,Utah,Sleeps,31.5,30,33,800,Crude Prevalence",
    "2021,UT,Utah,Sleeps,29.5,28,31,800,Age-adjusted Prevalence",
)


def test_crude_and_adjusted_values_are_never_one_figure(tmp_path: Path) -> None:
    error = refused(tmp_path, TYPES)
    assert "'Sleeps' has several types of values" in str(error)
    assert "Data_Value_Type: 'Age-adjusted Prevalence', 'Crude Prevalence'" in str(error)
    kept, told = error.settings
    cube, _ = read_text(tmp_path, TYPES, toml(kept))
    assert [*figures(cube).values()] == [41.5, 31.5]
    cube, _ = read_text(tmp_path, TYPES, toml(told))
    assert {key[0]: value for key, value in figures(cube).items() if key[1] == "Utah"} == {
        "Sleeps (Age-adjusted Prevalence)": 29.5,
        "Sleeps (Crude Prevalence)": 31.5,
    }


def test_types_of_values_are_never_mixed_even_where_no_cell_is_shared(tmp_path: Path) -> None:
    lines = TYPES.splitlines()
    assert "several types of values" in str(refused(tmp_path, table_of(lines[0], lines[1], lines[4])))


UNITS = table_of(
    f"{CDC},Data_Value_Unit",
    "2021,NE,Nebraska,Sleeps,41.5,40,43,900,%",
    "2022,NE,Nebraska,Sleeps,812000,,,900,Number",
    "2021,UT,Utah,Sleeps,31.5,30,33,800,Percent",
)


def test_counts_and_percentages_are_never_one_question(tmp_path: Path) -> None:
    error = refused(tmp_path, UNITS)
    assert "'Sleeps' has several units (Data_Value_Unit: '%', 'Number')" in str(error)
    kept, told = error.settings
    assert kept == ("rows", 'keep = {Data_Value_Unit = "%"}')
    cube, _ = read_text(tmp_path, UNITS, toml(told))
    assert {question.text: question.unit for question in cube.questions} == {
        "Sleeps (%)": "percent",
        "Sleeps (Number)": "Number",
        "Sleeps (Percent)": "percent",
    }


ANSWERS = table_of(
    "Year,Place,Item,Reply,ReplyID,Pct",
    "2020,Kent,Do you swim?,Yes,R1,30.5",
    "2020,Kent,Do you swim?,No,R2,69.5",
    "2020,Hull,Do you swim?,Yes,R1,20.5",
    "2020,Hull,Do you swim?,No,R2,79.5",
)
ANSWERS_MAPPING = '[columns]\nquestion = "Item"\nlocation = "Place"\nvalue = "Pct"\n'


def test_yes_and_no_are_refused_with_the_column_an_example_and_its_lines(tmp_path: Path) -> None:
    error = refused(tmp_path, ANSWERS, ANSWERS_MAPPING)
    assert "2 cells hold several rows, which differ in Reply, Pct, ReplyID" in str(error)
    assert "for example 'Do you swim?', Hull, 2020 (lines 4 and 5): Reply 'Yes' and 'No'" in str(error)
    assert '`question = "{Item}: {Reply}"` under [columns] or `keep = {Reply = "No"}` under [rows]' in str(error)
    assert "`pool = true` under [rows]" in str(error)


def test_each_proposed_line_tells_yes_from_no(tmp_path: Path) -> None:
    told, kept = refused(tmp_path, ANSWERS, ANSWERS_MAPPING).settings
    cube, _ = read_text(tmp_path, ANSWERS, ANSWERS_MAPPING + toml(kept))
    assert sorted(figures(cube).values()) == [69.5, 79.5]
    whole = ANSWERS_MAPPING.replace('question = "Item"', told[1])
    cube, _ = read_text(tmp_path, ANSWERS, whole)
    expected = {
        (f"{row['Item']}: {row['Reply']}", row["Place"]): float(row["Pct"])
        for row in csv.DictReader(io.StringIO(ANSWERS))
    }
    assert {key[:2]: value for key, value in figures(cube).items()} == expected


SEXES = table_of(
    "Year,State,Question,Sex,Age,Data_Value",
    *(
        f"2019,{state},Smokes,{sex},{age},{start + place}"
        for state, start in (("Ohio", 20), ("Utah", 40))
        for place, (sex, age) in enumerate(
            (sex, age) for sex in ("Both sexes", "Female", "Male") for age in ("All ages", "18-44", "45+")
        )
    ),
)
SEXES_MAPPING = '[columns]\nlocation = "State"\n'


def test_all_male_and_female_become_strata_as_proposed(tmp_path: Path) -> None:
    error = refused(tmp_path, SEXES, SEXES_MAPPING)
    strata, kept = error.settings
    assert strata == ("columns", 'strata = ["Sex", "Age"]')
    cube, report = read_text(tmp_path, SEXES, f"{SEXES_MAPPING}{strata[1]}")
    ohio = {key[3:]: value for key, value in figures(cube).items() if key[1] == "Ohio"}
    assert ohio == {
        ("Overall", "Overall"): 20.0,
        ("Age", "18-44"): 21.0,
        ("Age", "45+"): 22.0,
        ("Sex", "Female"): 23.0,
        ("Sex, Age", "Female, 18-44"): 24.0,
        ("Sex, Age", "Female, 45+"): 25.0,
        ("Sex", "Male"): 26.0,
        ("Sex, Age", "Male, 18-44"): 27.0,
        ("Sex, Age", "Male, 45+"): 28.0,
    }
    assert [segment.stratum for segment in cube.segments if segment.is_overall] == ["Overall"]
    assert "without_overall" not in {note.kind for note in report.notes}
    cube, _ = read_text(tmp_path, SEXES, SEXES_MAPPING + toml(kept))
    assert sorted(figures(cube).values()) == [20.0, 40.0]


def test_one_further_column_becomes_strata_too(tmp_path: Path) -> None:
    rows = [row for row in SEXES.splitlines()[1:] if "All ages" in row]
    text = table_of(SEXES.splitlines()[0], *rows)
    [strata, _] = refused(tmp_path, text, SEXES_MAPPING).settings
    assert strata == ("columns", 'strata = ["Sex"]')
    cube, _ = read_text(tmp_path, text, f"{SEXES_MAPPING}{strata[1]}")
    assert {key[3:] for key in figures(cube)} == {("Overall", "Overall"), ("Sex", "Female"), ("Sex", "Male")}


def test_strata_without_a_word_for_everybody_are_cells_of_their_own_and_noted(tmp_path: Path) -> None:
    text = SEXES.replace("Both sexes", "B").replace("All ages", "T")
    mapping = f'{SEXES_MAPPING}strata = ["Sex", "Age"]\n'
    cube, report = read_text(tmp_path, text, mapping)
    assert len(figures(cube)) == 18
    assert {segment.category for segment in cube.segments} == {"Sex, Age"}
    assert not any(segment.is_overall for segment in cube.segments)
    assert "without_overall" in {note.kind for note in report.notes}
    cube, _ = read_text(tmp_path, text, f'{mapping}[names]\noverall = ["b", "t"]')
    assert [segment.stratum for segment in cube.segments if segment.is_overall] == ["Overall"]


def test_two_spellings_of_everybody_that_differ_in_figures_share_a_cell(tmp_path: Path) -> None:
    text = table_of("Year,State,Question,Sex,Data_Value", "2019,Ohio,Q,Both,20", "2019,Ohio,Q,Total,21")
    error = refused(tmp_path, text, '[columns]\nlocation = "State"\nstrata = ["Sex"]')
    assert "(lines 2 and 3): Sex 'Both' and 'Total'" in str(error)


COUNTIES = table_of(
    "Year,StateAbbr,Place,Item,Pct,Pop,GeoID",
    "2022,AL,Washington,Obesity,42.5,15388,01129",
    "2022,CO,Washington,Obesity,28.5,4803,08121",
    "2022,OR,Washington,Obesity,29.5,600372,41067",
    "2022,AL,Autauga,Obesity,39.5,58805,1001",
)
COUNTIES_MAPPING = (
    '[columns]\nquestion = "Item"\nlocation = "Place"\nvalue = "Pct"\nabbreviation = "StateAbbr"\nfips = "GeoID"\n'
)


def test_three_washingtons_are_never_one_location(tmp_path: Path) -> None:
    error = refused(tmp_path, COUNTIES, COUNTIES_MAPPING)
    assert "'Washington' stands for several locations ('AL 01129', 'CO 08121', 'OR 41067')" in str(error)
    assert error.settings == (("columns", 'location = "{Place}, {StateAbbr}"'),)
    named = COUNTIES_MAPPING.replace('location = "Place"', error.settings[0][1])
    cube, _ = read_text(tmp_path, COUNTIES, named)
    assert {place.name: place.fips for place in cube.locations} == {
        "Autauga, AL": "01001",
        "Washington, AL": "01129",
        "Washington, CO": "08121",
        "Washington, OR": "41067",
    }


@pytest.mark.parametrize("names", [("Rhône", "Rho\u0302ne"), ("Washington", "WASHINGTON"), ("A B", "A\u00a0 B")])
def test_equal_names_under_different_codes_are_refused_in_other_years_too(
    names: tuple[str, str], tmp_path: Path
) -> None:
    rows = [f"{2020 + place},{name},Q,1,0{place + 1}" for place, name in enumerate(names)]
    text = table_of("Year,LocationDesc,Question,Data_Value,LocationID", *rows)
    assert "stands for several locations ('01', '02')" in str(refused(tmp_path, text))


def test_a_code_with_and_without_its_zero_is_one_code(tmp_path: Path) -> None:
    text = table_of("Year,LocationDesc,Question,Data_Value,LocationID", "2020,Ohio,Q,1,1", "2021,Ohio,Q,2,01")
    cube, _ = read_text(tmp_path, text)
    assert [place.fips for place in cube.locations] == ["01"]


def test_codes_that_can_not_be_read_are_counted(tmp_path: Path) -> None:
    header = "Year,LocationDesc,Question,Data_Value,LocationID"
    text = table_of(header, '2020,Ohio,Q,1,"=""39"""', "2020,Utah,Q,2,49", "2020,Kent,Q,2,")
    cube, report = read_text(tmp_path, text)
    assert [place.fips for place in cube.locations] == ["", "", "49"]
    [note] = [note for note in report.notes if note.kind == "unreadable_fips"]
    assert note.count == 1
    assert "1 of 3 locations have a FIPS code that can't be read, such as 'Ohio'" in note.text


TWICE = table_of(
    f"{CDC},Datasource",
    "2021,NE,Nebraska,Sleeps,41.5,40,43,900,BRFSS",
    "2021,UT,Utah,Sleeps,31.5,30.0,33,800,BRFSS",
    "2021,UT,Utah,Sleeps,31.5,30,33,800, BRFSS",
    "2021,NE,nebraska,Sleeps,41.50,40,43,900,BRFSS",
)


def test_rows_that_are_equal_in_every_column_count_once_with_a_note(tmp_path: Path) -> None:
    once, _ = read_text(tmp_path, "\n".join(TWICE.splitlines()[:3]))
    cube, report = read_text(tmp_path, TWICE)
    assert figures(cube) == figures(once)
    assert cube.cells.variance_sum.tolist() == once.cells.variance_sum.tolist()
    assert cube.cells.sample_size_sum.tolist() == [900.0, 800.0]
    [note] = [note for note in report.notes if note.kind == "duplicate_rows"]
    assert (note.count, report.duplicate_count, report.row_count) == (2, 2, 4)
    assert note.questions == frozenset({"Sleeps"})


def test_the_lines_of_repeated_rows_are_named(tmp_path: Path) -> None:
    lines = TWICE.splitlines()
    _, report = read_text(tmp_path, table_of(*lines[:3], lines[1], lines[2]))
    [note] = [note for note in report.notes if note.kind == "duplicate_rows"]
    assert note.lines == (4, 5)
    assert "2 rows are in the file a second time" in note.text


def test_rows_that_differ_in_an_unmapped_column_alone_are_not_equal(tmp_path: Path) -> None:
    error = refused(tmp_path, TWICE.replace(", BRFSS", ",NSCH"))
    assert "1 cell holds several rows, which differ in Datasource; " in str(error)
    assert "for example 'Sleeps', Utah, 2021 (lines 3 and 4): Datasource 'BRFSS' and 'NSCH'" in str(error)
    assert error.settings[0] == ("rows", 'keep = {Datasource = "BRFSS"}')


def test_a_cell_of_three_rows_of_which_two_are_equal_is_refused_for_the_third(tmp_path: Path) -> None:
    lines = TWICE.splitlines()
    error = refused(tmp_path, table_of(lines[0], lines[2], lines[2], lines[2].replace("31.5", "32.5")))
    assert "(lines 2 and 4): Data_Value '31.5' and '32.5'" in str(error)


def test_an_old_release_beside_its_revision_is_said_to_be_one(tmp_path: Path) -> None:
    error = refused(tmp_path, TWICE.replace("31.5,30,33,800, BRFSS", "31.7,30.2,33.1,811,BRFSS"))
    assert "nothing but figures tells them apart, as where an old release stands beside its revision" in str(error)
    assert error.settings == ()
    assert "`pool = true` under [rows]" in str(error)


def test_a_suppressed_row_beside_a_value_is_two_estimates(tmp_path: Path) -> None:
    assert "(lines 2 and 3)" in str(refused(tmp_path, table_of(CDC, "2021,UT,Utah,Q,31,30,33,8", "2021,UT,Utah,Q,,,,")))


def test_rows_that_are_left_out_share_no_cell(tmp_path: Path) -> None:
    cube, report = read_text(tmp_path, table_of(CDC, "2021,UT,Utah,Q,31,30,33,8", ",UT,Utah,Q,1,,,", ",UT,Utah,Q,2,,,"))
    assert (len(cube.cells), report.left_out_count) == (1, 2)
    text = table_of(CDC, *["2021,UT,Utah,Q,31,30,33,8"] * 2, *[",UT,Utah,Q,1,,,"] * 3)
    _, report = read_text(tmp_path, text)
    assert (report.left_out_count, report.duplicate_count, report.row_count) == (3, 1, 5)


def test_names_that_are_compared_alike_are_one_with_a_note(tmp_path: Path) -> None:
    text = table_of(
        CDC,
        "2021,NC,North\u00a0Carolina,Sleeps well,31,30,33,8",
        "2022,NC,North Carolina,sleeps  well,32,30,33,8",
        "2022,CA,Curac\u0327ao,sleeps  well,32,30,33,8",
        "2021,CA,Curaçao,Sleeps\u2003Well,32,30,33,8",
    )
    cube, report = read_text(tmp_path, text)
    assert [question.text for question in cube.questions] == ["Sleeps well"]
    assert [place.name for place in cube.locations] == ["Curac\u0327ao", "North Carolina"]
    assert len(figures(cube)) == 4
    [note] = [note for note in report.notes if note.kind == "spellings"]
    assert note.count == 3
    assert "'North Carolina', 'North\\xa0Carolina'" in note.text


def test_names_that_come_together_may_share_a_cell(tmp_path: Path) -> None:
    rows = ["2021,NC,North\u00a0Carolina,Q,31,30,33,8", "2021,NC,North Carolina,Q,32,30,33,8"]
    error = refused(tmp_path, table_of(CDC, *rows))
    assert "'Q', North Carolina, 2021 (lines 2 and 3): Data_Value '31' and '32'" in str(error)


def test_a_template_with_an_empty_part_is_the_other_part(tmp_path: Path) -> None:
    text = table_of("Year,County,State,Question,Data_Value", "2020,,Ohio,Q,1", "2020,Kent,Ohio,Q,2", "2020,Kent,,Q,3")
    cube, _ = read_text(tmp_path, text, '[columns]\nlocation = "{County}, {State}"')
    assert [(key[1], value) for key, value in figures(cube).items()] == [
        ("Kent", 3.0),
        ("Kent, Ohio", 2.0),
        ("Ohio", 1.0),
    ]


def test_pooled_rows_claim_no_independence_and_say_so(tmp_path: Path) -> None:
    text = table_of(
        f"{CDC},Source",
        "2021,UT,Utah,Sleeps,30,28,32,100,A",
        "2021,UT,Utah,Sleeps,34,30,38,300,B",
        "2021,NE,Nebraska,Sleeps,41.5,40,43,900,A",
    )
    cube, report = read_text(tmp_path, text, "[rows]\npool = true")
    cells, errors = cube.cells, [2 / Z_95, 4 / Z_95]
    assert cells.row_count.tolist() == [1, 2]
    assert cells.value_sum[1] == 64.0
    sizes, values, precisions = (100, 300), (30, 34), [error**-2 for error in errors]
    assert math.isclose(cells.variance_sum[1], 2 * sum(error**2 for error in errors))
    assert cells.sample_size_sum[1] == 200.0
    assert math.isclose(cells.sample_value_sum[1], (100 * 30 + 300 * 34) / 2)
    squares = sum((size * error) ** 2 for size, error in zip(sizes, errors, strict=True))
    assert math.isclose(cells.sample_variance_sum[1], squares / 2)
    assert math.isclose(cells.precision_sum[1], sum(precisions) / 2)
    weighted = sum(value * precision for value, precision in zip(values, precisions, strict=True))
    assert math.isclose(cells.precision_value_sum[1], weighted / 2)
    # Whatever the weights, no standard error is below that of errors that are all the same one.
    for weights, claimed in (
        ((1, 1), math.sqrt(cells.variance_sum[1]) / 2),
        (sizes, math.sqrt(cells.sample_variance_sum[1]) / cells.sample_size_sum[1]),
        (precisions, math.sqrt(1 / cells.precision_sum[1])),
    ):
        same = sum(weight * error for weight, error in zip(weights, errors, strict=True)) / sum(weights)
        assert same <= claimed
    [note] = [note for note in report.notes if note.kind == "pooled_rows"]
    assert "1 cell holds several rows, which differ in Data_Value, " in note.text
    assert ", Source; they are pooled, as the mapping file allows" in note.text
    assert (note.count, note.questions) == (1, frozenset({"Sleeps"}))


def test_equal_rows_count_once_where_others_are_pooled(tmp_path: Path) -> None:
    text = table_of(CDC, "2021,UT,Utah,Q,30,28,32,8", "2021,UT,Utah,Q,30,28,32,8", "2021,UT,Utah,Q,34,32,36,8")
    cube, _ = read_text(tmp_path, text, "[rows]\npool = true")
    assert (cube.cells.row_count.tolist(), cube.cells.value_sum.tolist()) == ([2], [64.0])


def test_kinds_of_columns_that_tell_nothing_are_not_proposed(tmp_path: Path) -> None:
    """A population or an order number is different in each row, and yet no stratum."""
    text = table_of(
        "Year,LocationDesc,Question,Data_Value,Population,Order,Arm",
        "2020,Ohio,Q,1.5,15388,1,Control",
        "2020,Ohio,Q,2.5,4803,2,Treated",
    )
    settings = refused(tmp_path, text).settings
    assert settings[0] == ("columns", 'question = "{Question}: {Arm}"')


def test_a_table_whose_question_is_fixed_is_told_what_to_keep(tmp_path: Path) -> None:
    text = table_of("Year,LocationDesc,Reply,Data_Value", "2020,Ohio,Yes,1.5", "2020,Ohio,No,98.5")
    assert refused(tmp_path, text, '[fixed]\nquestion = "Swims"').settings == (("rows", 'keep = {Reply = "No"}'),)


LARGE = """COPY (
  SELECT 2020 AS Year, 'Ohio' AS LocationDesc, 'Q' || i % 3 AS Question, i % 50 AS Data_Value,
    i % 50 - 1 AS Low_Confidence_Limit, i % 50 + 1 AS High_Confidence_Limit, 'arm ' || i % 2 AS Arm,
    CASE WHEN {odd} THEN 'Number' ELSE '%' END AS Data_Value_Unit
  FROM range(5000100) AS counted(i)
) TO '{path}' (FORMAT parquet)"""


def large_table(folder: Path, odd: str) -> Path:
    path = folder / "large.parquet"
    with duckdb.connect() as connection:
        connection.execute(LARGE.format(odd=odd, path=path))
    return path


@pytest.mark.slow
def test_a_large_table_is_pooled_in_one_pass_and_says_what_it_can(tmp_path: Path) -> None:
    cube, report = read(large_table(tmp_path, "false"), "[rows]\npool = true")
    values = np.arange(5_000_100) % 50
    questions = np.arange(5_000_100) % 3
    assert cube.cells.row_count.tolist() == [1_666_700] * 3
    assert cube.cells.value_sum.tolist() == [values[questions == place].sum() for place in range(3)]
    np.testing.assert_allclose(cube.cells.variance_sum, [(1_666_700 / Z_95) ** 2] * 3, rtol=1e-9)
    [note] = [note for note in report.notes if note.kind == "pooled_rows"]
    assert (note.count, note.questions) == (3, frozenset({"Q0", "Q1", "Q2"}))
    assert "which differ in Data_Value, Low_Confidence_Limit, High_Confidence_Limit, Arm;" in note.text


@pytest.mark.slow
def test_a_large_table_that_mixes_units_in_one_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'Q0' has several units"):
        read(large_table(tmp_path, "i = 4000002"), "[rows]\npool = true")


def test_of_a_release_and_its_revision_the_later_one_is_proposed_to_be_kept(tmp_path: Path) -> None:
    rows = ("2020,NY,New York,Q,20,19,21,100,2023-01", "2020,NY,New York,Q,21,20,22,100,2024-01")
    error = refused(tmp_path, table_of(f"{CDC},Release", *rows))
    assert error.settings[0] == ("rows", 'keep = {Release = "2024-01"}')
    cube, _ = read_text(tmp_path, table_of(f"{CDC},Release", *rows), toml(error.settings[0]))
    assert cube.cells.value_sum.tolist() == [21.0]
