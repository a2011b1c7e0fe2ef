"""Tables of publishers that are known by their header are read without a mapping; each figure is the csv module's."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from statistics import fmean
from typing import NamedTuple, cast

import pytest

from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.data_ingestor import DataIngestor
from tests.asking import records_in
from tests.unit.survey.tables import read

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).parents[1] / "layouts"
LAYOUTS = sorted(entry.name.removesuffix(".toml") for entry in (files("meantime") / "data" / "layouts").iterdir())


class Figure(NamedTuple):
    """What is asked of a table, and the rows of its file that answer it."""

    question: str
    rows: Mapping[str, str]
    columns: tuple[str, str, str, str] | tuple[str, str]
    asked: Mapping[str, object] = {}
    location: str = ""


BMI = "Prevalence of overweight among adults, BMI >= 25 (age-standardized estimate) (%)"
OBESITY = "Prevalence of obesity, BMI >= 30 (%) - Age group: 18+"
SMOKERS = "Adults who are current smokers (variable calculated from one or more BRFSS questions)"
OVERWEIGHT = "Overweight (including obesity) prevalence in adults"

FIGURES = {
    # layout: the question as it is served, and the rows, value and limits of the file
    "brfss_prevalence": Figure(
        f"{SMOKERS}: Yes",
        {"Year": "2022", "Response": "Yes", "Break_Out": "Male", "Locationabbr": "OH"},
        ("Locationdesc", "Data_value", "Confidence_limit_Low", "Confidence_limit_High"),
        {"years": [2022], "strata": ["Male"], "locations": ["OH"]},
    ),
    "chronic_disease_indicators": Figure(
        "Diabetes among adults (Age-adjusted Prevalence)",
        {"DataValueType": "Age-adjusted Prevalence", "Stratification1": "Overall", "LocationAbbr": "UT"},
        ("LocationDesc", "DataValue", "LowConfidenceLimit", "HighConfidenceLimit"),
        {"locations": ["UT"]},
    ),
    "eurostat": Figure(
        "ESTAT:HLTH_EHIS_BM1E(1.0) (PC): BMI_GE30",
        {"TIME_PERIOD": "2019", "sex": "F", "age": "Y18-24", "geo": "PT"},
        ("geo", "OBS_VALUE"),
        {"years": [2019], "strata": ["F, Y18-24"], "locations": ["PT"]},
    ),
    "fingertips": Figure(
        f"{OVERWEIGHT} (18+ yrs)",
        {"Time period": "2020/21", "Area Code": "E12000007", "Sex": "Persons", "Category": ""},
        ("Area Name", "Value", "Lower CI 95.0 limit", "Upper CI 95.0 limit"),
        {"years": [2020], "locations": ["E12000007"]},
    ),
    "our_world_in_data": Figure(
        OBESITY, {"Year": "2015", "Code": "IRL"}, ("Entity", OBESITY), {"years": [2015], "locations": ["IRL"]}
    ),
    "places": Figure(
        "Obesity among adults (Crude prevalence)",
        {"LocationName": "Washington", "StateAbbr": "CO", "MeasureId": "OBESITY", "DataValueTypeID": "CrdPrv"},
        ("LocationName", "Data_Value", "Low_Confidence_Limit", "High_Confidence_Limit"),
        {"locations": ["Washington, CO"]},
    ),
    "statbank_denmark": Figure(
        "INDHOLD",
        {"OMRÅDE": "Region Sjælland", "KØN": "Mænd", "TID": "2021"},
        ("OMRÅDE", "INDHOLD"),
        {"locations": ["Region Sjælland"], "strata": ["Mænd"], "years": [2021]},
    ),
    "who_gho": Figure(
        BMI,
        {"SpatialDimValueCode": "KEN", "Dim1": "Female", "Period": "2016"},
        ("Location", "FactValueNumeric", "FactValueNumericLow", "FactValueNumericHigh"),
        {"locations": ["KEN"], "strata": ["Female"], "years": [2016]},
    ),
    "who_gho_api": Figure(
        "WHOSIS_000001",
        {"SpatialDim": "PRT", "Dim1": "SEX_BTSX", "TimeDim": "2019"},
        ("SpatialDim", "NumericValue", "Low", "High"),
        {"locations": ["PRT"], "years": [2019]},
    ),
    "yrbss": Figure(
        "Currently smoked cigarettes (on at least 1 day during the 30 days before the survey)",
        {"LocationAbbr": "UT", "Sex": "Male", "Grade": "9th", "Race": "Total"},
        (
            "LocationDesc",
            "Greater_Risk_Data_Value",
            "Greater_Risk_Low_Confidence_Limit",
            "Greater_Risk_High_Confidence_Limit",
        ),
        {"locations": ["UT"], "strata": ["Male, 9th"]},
    ),
}


def published_row(layout: str) -> dict[str, str]:
    """Return the one row of a fixture that a figure is about."""
    with (FIXTURES / f"{layout}.csv").open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter=";" if layout == "statbank_denmark" else ",")
        wanted = FIGURES[layout].rows
        [found] = [row for row in rows if wanted.items() <= row.items()]
    return found


def test_every_layout_has_a_table_and_a_figure() -> None:
    assert LAYOUTS == sorted(FIGURES) == sorted(path.stem for path in FIXTURES.glob("*.csv"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_table_of_a_known_layout_gives_the_published_figure_without_an_option(layout: str) -> None:
    cube, report = read(FIXTURES / f"{layout}.csv")
    figure = FIGURES[layout]
    asked = {"question": figure.question, "by": ["location"], **figure.asked}
    [record] = records_in("mean", cube, asked)
    row = published_row(layout)
    published = [float(row[column].replace(",", ".")) for column in figure.columns[1:]]
    assert record["value"] == pytest.approx(published[0])
    assert report.layout == layout_title(layout)
    if len(published) == 3:
        # Limits that aren't symmetric give the standard error of their width.
        width = cast("float", record["high"]) - cast("float", record["low"])
        assert width == pytest.approx(published[2] - published[1])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_values_of_a_known_layout_are_those_of_its_file(layout: str) -> None:
    cube, _ = read(FIXTURES / f"{layout}.csv")
    value = FIGURES[layout].columns[1]
    with (FIXTURES / f"{layout}.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter=";" if layout == "statbank_denmark" else ","))
    published = [float(row[value].replace(",", ".")) for row in rows if row[value]]
    assert int(cube.cells.row_count.max()) == 1
    assert int(cube.cells.value_count.sum()) == len(published)
    assert float(cube.cells.value_sum.sum()) == pytest.approx(fmean(published) * len(published))


def test_a_table_of_a_known_layout_is_found_again_in_the_cache(tmp_path: Path) -> None:
    table = FIXTURES / "who_gho.csv"
    first = DataIngestor(table, cache_directory=tmp_path).ingest()
    again = DataIngestor(table, cache_directory=tmp_path).ingest()
    assert first.report.layout == layout_title("who_gho")
    assert (again.version, again.report) == (first.version, first.report)


def layout_title(layout: str) -> str:
    """Return what a layout's own file calls it."""
    text = (files("meantime") / "data" / "layouts" / f"{layout}.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["layout"]["title"])


def test_the_nation_of_a_known_layout_is_no_state() -> None:
    cube, _ = read(FIXTURES / "fingertips.csv")
    assert nations(cube) == ["England"]
    cube, _ = read(FIXTURES / "brfss_prevalence.csv")
    assert nations(cube) == ["All States, DC and Territories (median) **"]


def nations(cube: SurveyCube) -> list[str]:
    """Return the locations that stand for the whole."""
    return [place.name for place in cube.locations if place.kind == "nation"]
