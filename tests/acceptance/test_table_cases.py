"""Small tables that people's real trouble looks like: each is read rightly, or refused with the words that help.

The tables are shared with this project's workplace and not part of it; each has an ``expected.md`` that says what is
right. Without them, these tests are skipped.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from meantime.cli.inspect import inspect
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset
from tests.asking import records_in
from tests.server_process import served

CASES = Path(__file__).parents[3] / "shared" / "cases" / "tables"
OBESITY = "Percent of adults aged 18 years and older who have obesity"
SMOKING = "Current smoking"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"needs the shared tables in {CASES}")


@dataclass(frozen=True)
class Figure:
    """One published figure: where it stands, and its limits where the table has any."""

    question: str
    location: str
    value: float
    limits: tuple[float, float] | None = None
    asked: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What is right for one table.

    ``proposed`` are lines of the mapping that inspect proposes, and ``says`` words beside them; the figures are then
    served with it. ``refusal`` are words of the refusal of a table that can't be read, ``notes`` those of its notes,
    ``shows`` those of what inspect prints of it. ``mapping`` is a file beside the table.
    """

    figures: tuple[Figure, ...] = ()
    proposed: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    mapping: str = ""


def at(year: int, **others: object) -> dict[str, object]:
    return {"years": [year], **others}


def everybody(value: float, low: float, high: float, *, question: str = SMOKING, year: int = 2019) -> Figure:
    return Figure(question, "Ohio", value, (low, high), at(year))


ALABAMA = Figure(OBESITY, "Alabama", 39.9, (38.1, 41.7), at(2021))
SMOKERS = everybody(20.8, 19.5, 22.1)
SUPPRESSED = {
    f"supp_{name}": Case(
        (ALABAMA,),
        proposed=(f'missing = ["{mark}"]',),
        says=(f'missing = ["{mark}"]', "[names]", repr(mark)),
    )
    for name, mark in {"dash": "-", "endash": "\u2013", "na": "NA", "nr": "NR", "nslasha": "N/A", "star": "*"}.items()
}
BMI = "Prevalence of overweight among adults, BMI >= 25 (age-standardized estimate) (%)"

TABLES = {
    "age_excel_dates": Case(
        (Figure("Asthma", "Ohio", 7.9, (7.1, 8.7), at(2019, strata=["Oct-14"])),),
        proposed=('strata = ["Age group"]',),
        notes=("5-Sep", "Oct-14"),
    ),
    "brfss_prevalence_response": Case(
        (
            Figure("Adults who are current smokers: Yes", "Alabama", 19.2, (18.0, 20.4), at(2019)),
            Figure("Adults who are current smokers: No", "Utah", 89.1, (87.1, 91.1), at(2019, strata=["Male"])),
        ),
    ),
    "ci_in_one_cell": Case(
        (Figure(SMOKING, "Ohio", 20.8, None, at(2019)),), says=("seems to hold limits, such as '(18.1, 20.5)'",)
    ),
    "county_same_name": Case(
        (
            Figure("Obesity among adults (Age-adjusted prevalence)", "Washington, AL", 42.0, (40.0, 44.0)),
            Figure("Obesity among adults (Age-adjusted prevalence)", "08121", 28.0, (26.0, 30.0)),
        ),
    ),
    "crude_and_adjusted": Case(
        (
            Figure(f"{OBESITY} (Crude Prevalence)", "Alabama", 39.9, (38.1, 41.7)),
            Figure(f"{OBESITY} (Age-adjusted Prevalence)", "Alabama", 37.1, (35.1, 39.1)),
        ),
        proposed=('question = "{Question} ({Data_Value_Type})"',),
        says=("Data_Value_Type", "keep = {Data_Value_Type ="),
    ),
    "dup_exact": Case((ALABAMA,), notes=("1 row is in the file a second time", "line 8")),
    "eurostat_tsv": Case(refusal=("years are columns", "one estimate a row")),
    "excel_formula_fips": Case((ALABAMA,), notes=("FIPS",)),
    "fingertips": Case(
        (Figure("Overweight adults (18+ yrs)", "London region", 55.7, (54.9, 56.5), at(2019)),),
    ),
    "glued_footnote": Case(refusal=("25.1*", "a footnote mark or a unit after the number?")),
    "group_in_value_name": Case(
        (Figure("Prevalence of obesity, BMI >= 30 (%) - Age group: 18+", "PRT", 20.8, None, at(2019)),),
    ),
    "gz_named_csv": Case(refusal=("is gzip", "call it .csv.gz")),
    "json_rows": Case(refusal=("JSON",)),
    "late_thousands": Case(proposed=('thousands = ","',), says=("pool = true",)),
    "mixed_eol": Case((ALABAMA,)),
    "nbsp_names": Case(
        (
            Figure(OBESITY, "North Carolina", 39.9, (38.1, 41.7), at(2021)),
            Figure(OBESITY, "North Carolina", 37.9, (36.1, 39.7), at(2022)),
            Figure(OBESITY, "north dakota", 36, (35, 37), at(2022)),
        ),
        notes=(r"'North\xa0Carolina'",),
    ),
    "nfd_lookup": Case(
        (
            Figure("Adult obesity", "Rh\u00f4ne", 17.9, (17.1, 18.7)),
            Figure("Adult obesity", "Rho\u0302ne", 17.9, (17.1, 18.7)),
        ),
        mapping="map.toml",
    ),
    "nonenglish_headers": Case(
        (Figure("Adipositas", "Bayern", 16.4, (15.0, 17.8), at(2019)),),
        proposed=('location = "Bundesland"', 'question = "Merkmal"', 'low = "Untere Grenze"'),
    ),
    "nul_byte": Case(refusal=("line 3", "NUL")),
    "nul_tail": Case(refusal=("NUL",)),
    "percent_sign": Case((ALABAMA,)),
    "percent_sign_unknown": Case((SMOKERS,), proposed=('value = "Percent"', 'unit = "percent"')),
    # Its dates are all of one year: two estimates for one cell, which nothing tells apart.
    "pq_date_year": Case((Figure(OBESITY, "Alabama", 39.1, None, at(2021)),), proposed=("pool = true",)),
    "pq_float32": Case((Figure(OBESITY, "Alabama", 38.3, (36.5, 40.1), at(2022)),)),
    "pq_nan_value": Case((Figure(OBESITY, "Alabama", 38.3, (36.5, 40.1), at(2022)),)),
    "pq_null_location": Case((Figure(OBESITY, "Alabama", 38.3, (36.5, 40.1), at(2022)),), shows=("row 2",)),
    "se_instead_of_ci": Case(
        (Figure(SMOKING, "Ohio", 20.8, (20.8 - 1.959964 * 0.7, 20.8 + 1.959964 * 0.7), at(2019)),),
        proposed=('standard_error = "SE"',),
    ),
    "semicolon_utf8_deccomma": Case(
        (Figure("Adult obesity", "Évora", 23.4, (21.1, 25.7), at(2019)),),
        proposed=('decimal = ","', 'delimiter = ";"'),
    ),
    "sep_line": Case((SMOKERS,), proposed=('value = "Percent"',)),
    **SUPPRESSED,
    "time_period_index": Case(proposed=('# year = ""',), says=("is called a year and holds none, such as '1'",)),
    "title_lines": Case((SMOKERS,), proposed=("skip = 2",)),
    "trailing_total": Case(refusal=("line 8", "'Total'", "footer")),
    "two_headers": Case(
        (Figure(SMOKING, "Ohio", 20.8, None, at(2019)),), says=("two lines of names?", '"Lower", "Upper"')
    ),
    "two_strata": Case(
        (
            everybody(20, 19, 21),
            Figure(SMOKING, "Ohio", 21, (20, 22), at(2019, strata=["Male"])),
            Figure(SMOKING, "Utah", 14, (13, 15), at(2019, strata=["Female, 45+"])),
        ),
        proposed=('strata = ["Sex", "Age"]',),
    ),
    "unicode_minus": Case((everybody(-1.2, -2.0, -0.4, question="Change in smoking"),), proposed=('value = "Change"',)),
    "units_mixed": Case(
        (Figure(f"{OBESITY} (Number)", "Alabama", 1560000, None),),
        proposed=('question = "{Question} ({Data_Value_Type})"',),
        says=("'%'", "'Number'"),
    ),
    "value_outside_limits": Case((Figure(OBESITY, "Alabama", 3.99, None),), notes=("outside", "line 2")),
    "who_gho": Case(
        (
            Figure(BMI, "Kenya", 15.2, (11.0, 20.1), {"strata": ["Male"]}),
            Figure(BMI, "Portugal", 57.5, (54.0, 60.9)),
        ),
    ),
    "wide_years": Case((Figure("t", "Ohio", 20.8, None, at(2019)),), proposed=('years = "{year}"',)),
    "xlsx_as_csv": Case(refusal=("zip or Excel",)),
    "year_iso_date": Case((SMOKERS,), proposed=('year = "date"',)),
    "year_range": Case((everybody(20.8, 19.5, 22.1, year=2011),), proposed=('year = "Period"', 'year = "first"')),
    "zip_dot_underscore": Case((ALABAMA,)),
}
OVER_HTTP = {"accept_charset", "path_prefix", "path_names"}


def table_of(name: str) -> Path:
    [table] = [path for path in (CASES / name).iterdir() if path.stem == "t"]
    return table


def inspected(table: Path, *options: str | Path) -> Result:
    return CliRunner().invoke(inspect, [str(table), *map(str, options)])


def test_every_case_is_looked_at() -> None:
    assert {path.name for path in CASES.iterdir() if path.is_dir()} == TABLES.keys() | OVER_HTTP


@pytest.mark.parametrize("name", TABLES)
def test_the_table_is_read_rightly_or_refused_with_the_words_that_help(name: str, tmp_path: Path) -> None:
    case, table = TABLES[name], table_of(name)
    mapping: Path | None = CASES / name / case.mapping if case.mapping else None
    first = inspected(table, *(("--mapping", mapping) if mapping else ()))
    assert first.exception is None or isinstance(first.exception, SystemExit), first.exception
    if case.refusal:
        assert first.exit_code == 2, first.output
        assert first.stderr.startswith("Error: ")
        assert [words for words in case.refusal if words not in first.stderr] == [], first.stderr
        return
    assert first.exit_code == 0, first.output
    wanted = (*case.says, *case.proposed, *case.shows)
    assert [words for words in wanted if words not in first.output] == [], first.output
    if case.proposed or case.says:
        mapping = tmp_path / "map.toml"
        mapping.write_text(first.stdout, encoding="utf-8")
        tomllib.loads(first.stdout)
    if case.figures:
        check_figures(DataIngestor(table, mapping=mapping).ingest(), case)


def check_figures(dataset: Dataset, case: Case) -> None:
    for figure in case.figures:
        asked = {"question": figure.question, "locations": [figure.location], "by": ["location"], **figure.asked}
        [record] = records_in("mean", dataset.cube, asked)
        assert record["value"] == pytest.approx(figure.value)
        if figure.limits is None:
            continue
        assert [record["low"], record["high"]] == pytest.approx(figure.limits)
    notes = "\n".join(note.text for note in dataset.report.notes)
    assert [words for words in case.notes if words not in notes] == [], notes


SERVE = [sys.executable, "-c", "from meantime.cli import main; main()", "serve"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the bundled table, below a path of a proxy's."""
    with served([*SERVE, "--url-prefix", "/stats"], tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.mark.parametrize("accept", ["application/json; charset=utf-8", "text/csv; charset=utf-8; header=present"])
def test_a_media_type_with_parameters_is_one_that_can_be_sent(url: str, accept: str) -> None:
    body = {"statistic": "mean", "parameters": {"question": "Q036"}}
    job = requests.post(f"{url}/api/v1/jobs", json=body, headers={"Prefer": "wait=30"}, timeout=60)
    result = requests.get(f"{url}/api/v1/jobs/{job.json()['id']}/result", headers={"Accept": accept}, timeout=60)
    assert (result.status_code, result.headers["Content-Type"].partition(";")[0]) == (200, accept.partition(";")[0])


def test_a_server_below_a_path_leads_there(url: str) -> None:
    answer = requests.post(f"{url}/api/best5", json={"question": OBESITY}, timeout=60)
    assert answer.headers["Location"].startswith("/stats/api/get_results/")


def test_a_file_that_looks_like_name_and_path_is_said_to_be_one(tmp_path: Path) -> None:
    table = "year=2021.csv"
    (tmp_path / table).write_bytes((CASES / "path_names" / table).read_bytes())
    found = subprocess.run([*SERVE, table, "--port", "0"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "./year=2021.csv" in found.stderr
