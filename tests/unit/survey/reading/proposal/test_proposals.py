"""A proposed mapping is one that serve accepts, and what it reads is what the table says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.reading.proposal.examination import write_proposal
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES
from tests.asking import records_in
from tests.unit.survey.tables import csv_text, read, written

pytestmark = pytest.mark.slow

FIXTURES = sorted((Path(__file__).parents[2] / "layouts").glob("*.csv"))
OBESITY = "Percent of adults who have obesity"


def proposal_for(table: Path) -> str:
    """Return the text that is proposed, in this process."""
    text, _ = write_proposal(
        lambda *_: None, str(table), size_limit_bytes=DEFAULT_SIZE_LIMIT_BYTES, scratch_directory=str(table.parent)
    )
    return text


def values_of(cube: SurveyCube) -> list[float]:
    return sorted(cube.cells.value_sum.tolist())


class Table(NamedTuple):
    """A table that nobody has described, what is right in its proposal, and a figure of it."""

    text: str
    proposed: tuple[str, ...]
    asked: Mapping[str, object]
    figure: tuple[float, float | None, float | None]
    encoding: str = "utf-8"


TABLES = {
    "two strata columns, crossed": Table(
        "Year,State,Indicator,Sex,Age,Percent,Lower CI,Upper CI\n"
        "2019,Ohio,Smoking,Both,All,20,19,21\n2019,Ohio,Smoking,Male,All,21,20,22\n"
        "2019,Ohio,Smoking,Both,18-44,22,21,23\n2019,Ohio,Smoking,Male,18-44,23,22,24\n",
        ('strata = ["Sex", "Age"]', 'overall = ["Both", "All"]'),
        {"question": "Smoking", "strata": ["Male, 18-44"]},
        (23.0, 22.0, 24.0),
    ),
    "counties of one name": Table(
        "Year,State,County,Measure,Estimate,Low,High\n"
        "2020,Iowa,Lake,Asthma,9.1,8.0,10.2\n2020,Ohio,Lake,Asthma,8.3,7.1,9.5\n2020,Ohio,Adams,Asthma,8.8,7.7,9.9\n",
        ('location = "{County}, {State}"',),
        {"question": "Asthma", "locations": ["Lake, Ohio"]},
        (8.3, 7.1, 9.5),
    ),
    "an answer beside its question": Table(
        "Year,State,Question,Answer,Prevalence\n2020,Iowa,Do you smoke?,Yes,15.5\n2020,Iowa,Do you smoke?,No,84.5\n",
        ('question = "{Question}: {Answer}"',),
        {"question": "Do you smoke?: Yes"},
        (15.5, None, None),
    ),
    "crude and adjusted": Table(
        "Year,State,Indicator,Value Type,Rate,SE\n"
        "2020,Iowa,Deaths,Crude,15.5,0.5\n2020,Iowa,Deaths,Age-adjusted,14.5,0.5\n",
        ('question = "{Indicator} ({Value Type})"', 'standard_error = "SE"', '# keep = {"Value Type" = '),
        {"question": "Deaths (Crude)"},
        (15.5, 15.5 - 1.959964 * 0.5, 15.5 + 1.959964 * 0.5),
    ),
    "a margin of error, at its level": Table(
        "Year,State,Indicator,Estimate,90% MOE\n2020,Iowa,Uninsured,5.0,0.4\n2020,Ohio,Uninsured,6.1,0.3\n",
        ('margin_of_error = "90% MOE"', "confidence_percent = 90"),
        {"question": "Uninsured", "locations": ["Iowa"]},
        (5.0, 5.0 - 1.959964 * 0.4 / 1.6448536, 5.0 + 1.959964 * 0.4 / 1.6448536),
    ),
    "semicolons, decimal commas and another encoding": Table(
        "Jahr;Bundesland;Merkmal;Anteil;Fallzahl\n2019;Thüringen;Rauchen;23,4;1.204\n2019;Hessen;Rauchen;18,25;998\n",
        ('delimiter = ";"', 'decimal = ","', 'thousands = "."', 'encoding = "windows-1252"', 'unit = "percent"'),
        {"question": "Rauchen", "locations": ["Thüringen"]},
        (23.4, None, None),
        "cp1252",
    ),
    "titles above, marks, spans of years": Table(
        "Table 3. Smoking\n\nPeriod,State,Indicator,Percent,N\n2011-2012,Ohio,Smoking,20.8,900\n"
        "2013-2014,Ohio,Smoking,*,12\n2013-2014,Iowa,Smoking,<5,11\n",
        ("skip = 2", 'year = "first"', 'missing = ["*", "<5"]', 'year = "Period"'),
        {"question": "Smoking", "years": [2011]},
        (20.8, None, None),
    ),
    "years as columns": Table(
        "Region,Indicator,Y2018,Y2019\nOslo,Smoking,11.5,10.5\nBergen,Smoking,12.5,12.0\n",
        ('years = "Y{year}"', 'location = "Region"'),
        {"question": "Smoking", "years": [2019], "locations": ["Oslo"]},
        (10.5, None, None),
    ),
    "an empty column called like a value": Table(
        "Year,Country,Indicator,Value,FactValueNumeric,Sort key\n2016,Kenya,Overweight,,15.2,20160000\n"
        "2017,Kenya,Overweight,,16.2,20170000\n",
        ('value = "FactValueNumeric"', '# "Value": has no text', "# \"Sort key\": numbers, such as '20160000'"),
        {"question": "Overweight", "years": [2017]},
        (16.2, None, None),
    ),
    "proportions": Table(
        "Survey Year,State Name,Indicator,Estimate\n2019,Ohio,Smokes,0.31\n2019,Iowa,Smokes,0.125\n",
        ('unit = "proportion"',),
        {"question": "Smokes", "locations": ["Ohio"]},
        (0.31, None, None),
    ),
    "a value whose name is the question": Table(
        "Country,Year,Share of adults who smoke (%)\nKenya,2016,15.2\nKenya,2017,14.9\n",
        ('question = "Share of adults who smoke (%)"', 'unit = "percent"'),
        {"question": "Share of adults who smoke (%)", "years": [2016]},
        (15.2, None, None),
    ),
    "a named column of few numbers among marks": Table(
        "Year,State,Indicator,Percent,Low,High\n2019,Ohio,Smoking,20.1,19,21\n2019,Utah,Smoking,<5,-,-\n"
        "2019,Iowa,Smoking,\u2020,n/a,n/a\n2019,Maine,Smoking,(D),(D),[s]\n",
        (
            'value = "Percent"  # likely',
            'low = "Low"',
            'missing = ["(D)", "-", "<5", "[s]", "n/a", "\u2020"]',
            "'<5' says a bound and no figure",
        ),
        {"question": "Smoking", "locations": ["Ohio"]},
        (20.1, 19.0, 21.0),
    ),
    "a release and its revision": Table(
        "Release,Year,State,Indicator,Percent,Low,High\n2023-01,2019,Ohio,Smoking,20.1,19,21\n"
        "2024-01,2019,Ohio,Smoking,20.4,19.2,21.5\n2023-01,2019,Utah,Smoking,8.1,7,9\n"
        "2024-01,2019,Utah,Smoking,8.4,7.2,9.5\n",
        ('keep = {Release = "2024-01"}  # unsure: the latest; or "2023-01"',),
        {"question": "Smoking", "locations": ["Ohio"]},
        (20.4, 19.2, 21.5),
    ),
    "versions by number": Table(
        "Version,Year,State,Indicator,Percent\n9,2019,Ohio,Smoking,20.1\n10,2019,Ohio,Smoking,20.4\n",
        ('keep = {Version = "10"}  # unsure: the latest; or "9"',),
        {"question": "Smoking"},
        (20.4, None, None),
    ),
    "days of an update": Table(
        "Last updated,Year,State,Indicator,Percent\n2023-05-01,2019,Ohio,Smoking,20.1\n"
        "2024-05-01,2019,Ohio,Smoking,20.4\n",
        ('keep = {"Last updated" = "2024-05-01"}  # unsure: the latest',),
        {"question": "Smoking"},
        (20.4, None, None),
    ),
    "margins of error with their sign": Table(
        "Year,State,Indicator,Estimate,MOE\n2019,Ohio,Smoking,20.8,\u00b11.2\n2019,Utah,Smoking,7.9,+/- 0.9\n",
        ('margin_of_error = "MOE"',),
        {"question": "Smoking", "locations": ["Ohio"]},
        (20.8, 19.6, 22.0),
    ),
    "limits in German": Table(
        "Jahr;Land;Merkmal;Wert;Untergrenze;Obergrenze;Anzahl\n2019;Hessen;Adipositas;16,4;15,0;17,8;1.204\n",
        ('low = "Untergrenze"', 'high = "Obergrenze"', 'sample_size = "Anzahl"'),
        {"question": "Adipositas"},
        (16.4, 15.0, 17.8),
    ),
    "limits in French": Table(
        "Ann\u00e9e;R\u00e9gion;Indicateur;Taux;Limite inf\u00e9rieure;Limite sup\u00e9rieure;Effectif\n"
        "2019;Bretagne;Tabac;16,4;15,0;17,8;1 204\n",
        ('low = "Limite inf\u00e9rieure"', 'high = "Limite sup\u00e9rieure"', 'sample_size = "Effectif"'),
        {"question": "Tabac"},
        (16.4, 15.0, 17.8),
    ),
    "limits in Spanish": Table(
        "A\u00f1o;Provincia;Indicador;Valor;L\u00edmite inferior;L\u00edmite superior;Tama\u00f1o de la muestra\n"
        "2019;Soria;Tabaco;16,4;15,0;17,8;1.204\n",
        ('low = "L\u00edmite inferior"', 'high = "L\u00edmite superior"', 'sample_size = "Tama\u00f1o de la muestra"'),
        {"question": "Tabaco"},
        (16.4, 15.0, 17.8),
    ),
    "limits in Portuguese": Table(
        "Ano;Distrito;Indicador;Valor;Limite inferior;Limite superior;Amostra\n2019;Braga;Tabaco;16,4;15,0;17,8;998\n",
        ('low = "Limite inferior"', 'high = "Limite superior"', 'sample_size = "Amostra"', 'location = "Distrito"'),
        {"question": "Tabaco"},
        (16.4, 15.0, 17.8),
    ),
    "a number of persons that is the value": Table(
        "Jahr;Land;Merkmal;Anzahl\n2019;Hessen;Todesf\u00e4lle;164\n2020;Hessen;Todesf\u00e4lle;171\n",
        ('value = "Anzahl"  # unsure',),
        {"question": "Todesf\u00e4lle", "years": [2019]},
        (164.0, None, None),
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_what_is_proposed_for_an_unknown_table_reads_it_rightly(name: str, tmp_path: Path) -> None:
    table = TABLES[name]
    source = written(tmp_path, table.text.encode(table.encoding))
    proposed = proposal_for(source)
    assert [line for line in table.proposed if line not in proposed] == [], proposed
    cube, _ = read(source, proposed)
    [record] = records_in("mean", cube, {"by": ["location"], **table.asked})
    assert record["value"] == pytest.approx(table.figure[0])
    if table.figure[1] is not None:
        assert (record["low"], record["high"]) == pytest.approx(table.figure[1:])


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_what_is_proposed_for_a_known_table_reads_it_as_it_is_read_without(fixture: Path) -> None:
    proposed = proposal_for(fixture)
    without, _ = read(fixture)
    with_it, _ = read(fixture, proposed)
    assert values_of(with_it) == values_of(without)
    assert [question.text for question in with_it.questions] == [question.text for question in without.questions]
    assert [segment.is_overall for segment in with_it.segments] == [segment.is_overall for segment in without.segments]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_what_is_proposed_for_a_table_whose_layout_nobody_knows_reads_all_its_values(
    fixture: Path, tmp_path: Path
) -> None:
    header, _, rows = fixture.read_text(encoding="utf-8").partition("\n")
    unknown = header.replace("Response", "Answer").replace("StateDesc", "State").replace("Indicator", "Measure")
    unknown = unknown.replace("DATAFLOW", "FLOW").replace("Greater_Risk_", "").replace("Entity,Code", "Country,ISO")
    unknown = unknown.replace("TID;INDHOLD", "ÅR;VÆRDI").replace("StratificationCategory2", "Second")
    source = written(tmp_path, f"{unknown}\n{rows}")
    cube, _ = read(source, proposal_for(source))
    known, _ = read(fixture)
    assert values_of(cube) == values_of(known)


KNOWN = "2021,AL,Alabama,{question},{value},,,38.1,41.7,4511,Q036,1,{category},{stratum}"


def known_row(value: str = "39.9", question: str = OBESITY, category: str = "Total", stratum: str = "Total") -> str:
    return KNOWN.format(question=question, value=value, category=category, stratum=stratum)


def test_marks_of_a_known_table_are_proposed_as_missing(tmp_path: Path) -> None:
    source = written(tmp_path, csv_text([known_row(), known_row("\u2013", category="Sex", stratum="Male")]))
    proposed = proposal_for(source)
    assert tomllib.loads(proposed)["names"]["missing"] == ["\u2013"]
    cube, report = read(source, proposed)
    assert (report.value_count, report.suppressed_count, values_of(cube)) == (1, 1, [0.0, 39.9])


def test_a_text_that_is_no_mark_is_named_and_not_proposed_as_missing(tmp_path: Path) -> None:
    source = written(tmp_path, csv_text([known_row(), known_row("25.1*", category="Sex", stratum="Male")]))
    proposed = proposal_for(source)
    assert '# no numbers: ["25.1*"]; a footnote mark after the number?' in proposed
    assert "missing" not in tomllib.loads(proposed)["names"]


def test_rows_that_differ_in_figures_alone_are_pooled_only_by_a_line_that_says_so(tmp_path: Path) -> None:
    source = written(tmp_path, csv_text([known_row(), known_row("39.1")]))
    proposed = proposal_for(source)
    assert "\npool = true  # unsure: rows of one cell differ in 'Data_Value' alone" in proposed
    cube, _ = read(source, proposed)
    assert cube.cells.value_count.tolist() == [2]


def test_points_that_may_group_thousands_are_not_decided_by_a_proposal(tmp_path: Path) -> None:
    rows = "2019;Ohio;Deaths;1.201\n2020;Ohio;Deaths;1.305\n2020;Utah;Deaths;950\n"
    proposed = proposal_for(written(tmp_path, f"Year;State;Indicator;Count\n{rows}"))
    assert '# \'1.201\' can be 1201 or 1.201; state `thousands = "."` or `decimal = "."`' in proposed
    assert not {"thousands", "decimal"} & tomllib.loads(proposed)["file"].keys()


def test_rows_that_nothing_tells_apart_are_not_pooled_unasked(tmp_path: Path) -> None:
    rows = "2019,Ohio,Smoking,a,x,20.1\n2019,Ohio,Smoking,a,y,20.4\n2019,Ohio,Smoking,b,y,20.5\n"
    proposed = proposal_for(written(tmp_path, f"Year,State,Indicator,Release,Version,Percent\n{rows}"))
    assert "\n# pool = true  # rows of one cell differ in 'Release', 'Version', 'Percent'" in proposed
    assert "rows" not in tomllib.loads(proposed) or not tomllib.loads(proposed)["rows"]


def test_nothing_is_sure_that_a_single_row_contradicts(tmp_path: Path) -> None:
    rows = "".join(f"{year},Ohio,Smoking,20.5\n" for year in range(1000, 2000))
    source = written(tmp_path, f"Year,State,Indicator,Percent\n{rows}2000,Ohio,Smoking,about 20\n")
    lines = proposal_for(source).splitlines()
    assert 'year = "Year"  # sure: the name says so, and all rows agree' in lines
    assert 'value = "Percent"  # likely: the name says so' in lines


def test_rows_that_are_left_out_share_no_cell(tmp_path: Path) -> None:
    notes = "Source: a survey,,,,\nSuppressed below 50,,,,\n"
    source = written(tmp_path, f"Domain,Indicator,Year,State,Percent\nTobacco,Smoking,2019,Ohio,20.5\n{notes}")
    proposed = tomllib.loads(proposal_for(source))
    assert "rows" not in proposed
    assert "strata" not in proposed["columns"]
