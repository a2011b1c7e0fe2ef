"""Known layouts are found by their headers; a table of CDC's own family, or one with a person's mapping, has none."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from meantime.survey.questions import PERCENT
from meantime.survey.reading.layouts import find_layout, layouts, with_layout
from meantime.survey.reading.mapping import parse_mapping
from meantime.survey.reading.profile import Profile
from tests.unit.survey.tables import HEADER, read, written

BRFSS_PREVALENCE = """\
Year,Locationabbr,Locationdesc,Class,Topic,Question,Response,Break_Out,Break_Out_Category,Sample_Size,Data_value,\
Confidence_limit_Low,Confidence_limit_High,Display_order,Data_value_unit,Data_value_type,LocationID,QuestionID
2019,KS,Kansas,Sleep,Sleep,Do you sleep well?,Yes,Overall,Overall,900,61.5,60.0,63.0,1,%,Crude Prevalence,20,_SLP
2019,KS,Kansas,Sleep,Sleep,Do you sleep well?,No,Overall,Overall,500,38.5,37.0,40.0,2,%,Crude Prevalence,20,_SLP
2019,KS,Kansas,Sleep,Sleep,Do you sleep well?,Yes,Female,Gender,480,59.5,57.0,62.0,1,%,Crude Prevalence,20,_SLP
2019,KS,Kansas,Sleep,Sleep,Do you sleep well?,No,Female,Gender,300,40.5,38.0,43.0,2,%,Crude Prevalence,20,_SLP
"""
NPAO_EXPORT = """\
YearStart,YearEnd,LocationAbbr,LocationDesc,Datasource,Class,Topic,Question,Data_Value_Unit,Data_Value_Type,Data_Value,\
Data_Value_Alt,Data_Value_Footnote_Symbol,Data_Value_Footnote,Low_Confidence_Limit,High_Confidence_Limit ,Sample_Size,\
Total,Age(years),Education,Gender,Income,Race/Ethnicity,GeoLocation,ClassID,TopicID,QuestionID,DataValueTypeID,\
LocationID,StratificationCategory1,Stratification1,StratificationCategoryId1,StratificationID1"""


def headers_of(table: str) -> list[str]:
    return table.split("\n", maxsplit=1)[0].split(",")


def test_cdc_s_prevalence_table_is_read_without_an_option(tmp_path: Path) -> None:
    cube, report = read(written(tmp_path, BRFSS_PREVALENCE))
    expected = {
        (f"{row['Question']}: {row['Response']}", row["Break_Out_Category"], row["Break_Out"]): float(row["Data_value"])
        for row in csv.DictReader(io.StringIO(BRFSS_PREVALENCE))
    }
    cells = cube.cells
    found = {
        (cube.questions[question].text, cube.segments[segment].category, cube.segments[segment].stratum): value
        for question, segment, value in zip(
            cells.question.tolist(), cells.segment.tolist(), cells.value_sum.tolist(), strict=True
        )
    }
    assert found == expected
    assert cells.variance_count.tolist() == [1] * 4
    assert {question.unit for question in cube.questions} == {PERCENT}
    assert report.columns["question"] == "{Question}: {Response}"


def test_no_layout_takes_a_table_of_cdc_s_own_family() -> None:
    assert find_layout(headers_of(NPAO_EXPORT)) is None
    assert find_layout(HEADER) is None
    assert with_layout(Profile(), headers_of(NPAO_EXPORT)) == Profile()


def test_each_layout_is_found_by_its_own_headers_and_names_where_its_tables_are() -> None:
    assert layouts()
    for layout in layouts():
        headers = [*(header.upper() for header in layout.headers), "one column more"]
        assert find_layout(headers) == layout
        assert layout.title
        assert layout.url.startswith("https://")


@pytest.mark.parametrize("stated", ['question = "Question"', 'strata = ["Break_Out"]'])
def test_a_table_whose_columns_a_person_names_is_no_layout_s(stated: str) -> None:
    profile = parse_mapping(f"[columns]\n{stated}", "m").profile
    assert with_layout(profile, headers_of(BRFSS_PREVALENCE)) == profile


def test_what_a_mapping_states_beside_columns_completes_the_layout() -> None:
    profile = parse_mapping('[rows]\nkeep = {Break_Out = "Overall"}\n[names]\nmissing = ["*"]', "m").profile
    found = with_layout(profile, headers_of(BRFSS_PREVALENCE))
    assert found.layout == "brfss_prevalence"
    assert (found.keep, found.missing) == ({"Break_Out": ("Overall",)}, ("*",))
    assert found.columns


@pytest.mark.parametrize(("stated", "year"), [("", "first"), ('decimal = ","', "first"), ('year = "last"', "last")])
def test_what_a_mapping_states_of_the_file_completes_what_the_layout_does(stated: str, year: str) -> None:
    [layout] = [each for each in layouts() if each.name == "fingertips"]
    profile = parse_mapping(f"[file]\n{stated}", "m").profile
    found = with_layout(profile, layout.headers)
    assert (found.layout, found.file.year, found.file.decimal) == ("fingertips", year, profile.file.decimal)
