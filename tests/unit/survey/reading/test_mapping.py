"""A mapping file says how another table is read; what it gets wrong is named by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from meantime.errors import DataError
from meantime.survey.questions import Direction, LocationKind
from meantime.survey.reading.columns import Role
from meantime.survey.reading.mapping import parse_mapping, read_mapping_text
from meantime.survey.reading.profile import FileForm, Profile
from tests.asking import ask
from tests.unit.survey.tables import ROW, csv_text, read, written

TABLE = """\
yr;place;what;pct;lo;hi;people;sex
2019;USA;Smokes;14.0;13.0;15.0;1000;Everyone
2019;Ohio;Smokes;n.a.;.;.;.;Everyone
2019;Samoa;Smokes;12.0;10.0;14.0;90;Men
"""
MAPPING = """\
[columns]
year = "yr"
location = "place"
question = "what"
value = "pct"
low = "lo"
high = "hi"
sample_size = "people"
stratum = "sex"
[fixed]
category = "Sex"
unit = "percent"
[names]
nation = ["usa"]
territories = ["Samoa"]
overall = ["everyone"]
missing = ["n.a.", "."]
[strata]
Sex = ["men", "everyone"]
[directions]
Smokes = "lower_is_better"
[file]
delimiter = ";"
"""


def test_a_table_of_another_family_is_read_as_its_mapping_says(tmp_path: Path) -> None:
    cube, report = read(written(tmp_path, TABLE), MAPPING)
    kinds = {location.name: location.kind for location in cube.locations}
    assert kinds == {"Ohio": LocationKind.STATE, "Samoa": LocationKind.TERRITORY, "USA": LocationKind.NATION}
    [question] = cube.questions
    assert (question.direction, question.unit) == (Direction.LOWER_IS_BETTER, "percent")
    segments = [(segment.category, segment.stratum, segment.order, segment.is_overall) for segment in cube.segments]
    assert segments == [("Sex", "Everyone", 1, True), ("Sex", "Men", 0, False)]
    assert (report.value_count, report.suppressed_count) == (2, 1)
    assert report.notes == ()
    assert cube.cells.sample_size_sum.sum() == 1090


def test_a_mapping_may_state_a_direction_by_text_or_id(tmp_path: Path) -> None:
    source = written(tmp_path, csv_text([ROW.replace("have obesity", "like cake")]))
    for name in ("percent of adults who  like cake", "Q036"):
        cube, _ = read(source, f'[directions]\n"{name}" = "higher_is_better"')
        assert cube.questions[0].direction is Direction.HIGHER_IS_BETTER


def test_a_mapping_may_state_a_break_of_some_questions_or_of_all(tmp_path: Path) -> None:
    rows = [ROW, ROW.replace("have obesity", "like cake").replace("Q036", "Q7")]
    text = BREAK + 'questions = ["q7"]\n' + BREAK.replace("2017", "2014") + BREAK.replace("2017", "2011")
    cube, report = read(written(tmp_path, csv_text(rows)), text)
    cake, obesity = sorted(cube.questions, key=lambda question: "obesity" in question.text)
    assert [each.year for each in cake.breaks] == [2011, 2014, 2017]
    assert [each.year for each in obesity.breaks] == [2011, 2014]
    assert {(each.reason, each.source) for each in obesity.breaks} == {("new words", "our codebook")}
    assert "unmatched_names" not in {note.kind for note in report.notes}


def test_a_name_that_is_no_question_of_the_table_is_noted(tmp_path: Path) -> None:
    text = BREAK + 'questions = ["Q063", "Q036"]\n[directions]\n"like pie" = "higher_is_better"'
    _, report = read(written(tmp_path, csv_text([ROW])), text)
    [note] = [note for note in report.notes if note.kind == "unmatched_names"]
    assert note.text.startswith("no question of this table is 'like pie', 'Q063', so what the mapping file says")
    assert not note.concerns_answers


def test_no_trend_crosses_a_break_that_a_mapping_states(tmp_path: Path) -> None:
    header, *years = csv_text([ROW.replace("2023", str(year)) for year in range(2014, 2020)]).splitlines()
    assert years[0] != years[1]
    text = BREAK + 'questions = ["Q036"]'
    cube, _ = read(written(tmp_path, "\n".join([header, *years]) + "\n"), text)
    answer = ask("trend", cube, {"question": "Q036"})
    assert isinstance(records := answer["records"], list)
    assert [(record["first_year"], record["last_year"]) for record in records] == [(2014, 2016), (2017, 2019)]
    assert isinstance(answer["cautions"], list)
    wanted = "estimates from 2017 on can't be compared with earlier ones, so that no trend crosses it"
    assert f"{wanted}: new words (our codebook)" in answer["cautions"]


def test_a_mapping_may_turn_a_built_in_direction_round(tmp_path: Path) -> None:
    cube, _ = read(written(tmp_path, csv_text([ROW])), '[directions]\nQ036 = "higher_is_better"')
    assert cube.questions[0].direction is Direction.HIGHER_IS_BETTER


def test_an_empty_name_says_that_there_is_no_such_column(tmp_path: Path) -> None:
    cube, report = read(written(tmp_path, csv_text([ROW])), '[columns]\nsample_size = ""')
    assert "sample_size" in report.columns_missing
    assert cube.cells.sample_count.tolist() == [0]


def test_one_text_can_hold_for_every_row(tmp_path: Path) -> None:
    table = "LocationDesc,Data_Value\nOhio,1.5\n"
    cube, _ = read(written(tmp_path, table), '[fixed]\nquestion = "Smokes"\nyear = "2020"')
    assert (cube.questions[0].text, cube.years) == ("Smokes", (2020,))


def test_an_empty_mapping_is_the_built_in_profile() -> None:
    assert parse_mapping("", "").profile == Profile()
    assert parse_mapping("", "").profile.key == Profile().key


@pytest.mark.parametrize(
    ("mapping", "unit"),
    [
        ("", "percent"),
        ('[directions]\nQ036 = "lower_is_better"', "percent"),
        ('[columns]\nvalue = "Data_Value"', ""),
        ('[columns]\nvalue = "Data_Value"\n[fixed]\nunit = "days"', "days"),
        ('[fixed]\nunit = "%"', "percent"),
        ('[fixed]\nunit = "Percentage"', "percent"),
        ('[fixed]\nunit = "Fraction"', "proportion"),
        ('[fixed]\nunit = "Days"', "Days"),
    ],
)
def test_a_table_with_columns_of_its_own_has_no_unit_until_one_is_stated(
    mapping: str, unit: str, tmp_path: Path
) -> None:
    cube, _ = read(written(tmp_path, csv_text([ROW])), mapping)
    assert cube.questions[0].unit == unit


BREAK = '[[breaks]]\nyear = 2017\nbecause = "new words"\nsource = "our codebook"\n'

WRONG = {
    "[columns": "is not TOML",
    'columns = "x"': "columns must be a section, [columns]",
    "[colums]": "'colums' is no section; did you mean 'columns'?",
    '[columns]\nvalu = "x"': "'valu' is no key of [columns]; did you mean 'value_type' or 'value'?",
    "[columns]\nvalue = 3": "'value' under [columns] is 3; it must be a text in quotes",
    '[fixed]\nhigh = "3"': "'high' is no key of [fixed]; accepted: question, ",
    '[columns]\nunit = "u"\n[fixed]\nunit = "percent"': "unit is under [columns] and under [fixed]; keep one",
    '[names]\nnation = "USA"': "'nation' under [names] is 'USA'; it must be a list of texts, such as [\"Guam\"]",
    "[names]\nmissing = [9]": "'missing' under [names] is [9]; it must be a list of texts",
    '[strata]\nAge = "young"': "'Age' under [strata] is 'young'; it must be a list of texts",
    '[directions]\nQ1 = "up"': "'Q1' under [directions] is 'up'; it must be one of lower_is_better, higher_is_better",
    '[file]\ndelimiter = ";;"': "'delimiter' under [file] is ';;'; it must be one character",
    '[file]\ndelimiter = "\\n"': "'delimiter' under [file] is '\\n'; it must be one character",
    '[file]\ndelimiter = "é"': "'delimiter' under [file] is 'é'; it must be one character",
    '[file]\nencoding = "latin 1"': "'encoding' under [file] is 'latin 1'; it must be the name of an encoding",
    '[file]\nquote = "x"': "'quote' is no key of [file]; accepted: delimiter, decimal",
    '[file]\ndecimal = ";"': "'decimal' under [file] is ';'; it must be one of ., ,",
    "[file]\nskip = -1": "'skip' under [file] is -1; it must be a whole number from 0",
    '[file]\nyear = "both"': "'year' under [file] is 'both'; it must be one of first, last",
    '[rows]\nkeep = "Crude"': "'keep' under [rows] is 'Crude'; it must be columns with their texts",
    "[rows.keep]\nSex = 3": "'Sex' under [rows.keep] is 3; it must be a text or a list of texts",
    "[rows.keep]\nSex = []": "'Sex' under [rows.keep] is []; it must be a text or a list of texts",
    '[rows]\npool = "yes"': "'pool' under [rows] is 'yes'; it must be true or false",
    "[rows]\ndrop = 1": "'drop' is no key of [rows]; accepted: keep, pool",
    "[values]\nconfidence_percent = 0.9": "'confidence_percent' under [values] is 0.9; it must be a number from 50",
    '[wide]\nyears = "year"': "'years' under [wide] is 'year'; it must be a text with {year} in it",
    '[columns]\nstrata = "Sex"': "'strata' under [columns] is 'Sex'; it must be a list of texts",
    '[columns]\nstrata = ["Sex"]\nstratum = "Age"': "stratum is stated beside strata",
    '[columns]\nstrata = ["Sex"]\n[fixed]\ncategory = "Age"': "category is stated beside strata",
    '[columns]\nstandard_error = "SE"\nmargin_of_error = "MOE"': "standard_error and margin_of_error are both",
    "[breaks]\nyear = 2017": "breaks must be sections, each under a [[breaks]] of its own",
    '[[breaks]]\nyear = 2017\nbecause = "x"': "[[breaks]] 1 has no 'source'; state from which year, because of what,",
    '[[breaks]]\nyear = "2017"\nbecause = "x"\nsource = "y"': "'year' under [[breaks]] 1 is '2017'; it must be a whole",
    '[[breaks]]\nyear = 17\nbecause = "x"\nsource = "y"': "'year' under [[breaks]] 1 is 17; it must be a whole",
    f'{BREAK}[[breaks]]\nyear = 2017\nbecause = 3\nsource = "y"': "'because' under [[breaks]] 2 is 3; it must be",
    '[[breaks]]\nyear = 2017\nbecause = ""\nsource = "y"': "'because' under [[breaks]] 1 is ''; it must be a text",
    f'{BREAK}questions = "Q7"': "'questions' under [[breaks]] 1 is 'Q7'; it must be a list of questions, such as",
    f"{BREAK}questions = []": "'questions' under [[breaks]] 1 is []; it must be a list of questions",
    f'{BREAK}question = ["Q7"]': "'question' is no key of [[breaks]] 1; did you mean 'questions'?",
    '[source]\nauthor = "me"': "'author' is no key of [source]; accepted: publisher, ",
    '[fixed]\nyear = "soon"': "'year' under [fixed] is 'soon'; it must be a number in quotes",
    "[columns]\nvalue = " + "9" * 5000: "is not TOML",
    "[columns]\nvalue = 0x" + "f" * 5000: "'value' under [columns] is a number of thousands of digits; it must be",
    "x = " + "[" * 5000: "is not TOML",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:60])
def test_a_wrong_mapping_is_refused_by_file_and_key(text: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_mapping(text, "mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert WRONG[text] in str(caught.value)


def test_a_column_that_the_file_lacks_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column is called 'Data_Valu' \(value\); nearest: 'Data_Value'"):
        read(written(tmp_path, csv_text([ROW])), '[columns]\nvalue = "Data_Valu"')


def test_a_mapping_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.toml: the mapping file can't be read: no such file"):
        read_mapping_text(tmp_path / "none.toml")
    with pytest.raises(DataError, match="can't be read: not UTF-8"):
        read_mapping_text(written(tmp_path, b"\xff", "latin.toml"))


def test_every_role_can_be_named() -> None:
    for role in Role:
        assert parse_mapping(f'[columns]\n{role} = "x"', "m").profile.columns == {role: "x"}


def test_every_key_of_the_grammar_is_carried() -> None:
    text = """
[columns]
question = "{Question}: {Response}"
strata = ["Sex", "Age"]
[rows]
keep = {Type = "Crude", Age = ["All", "Total"]}
pool = true
[values]
confidence_percent = 90
[file]
delimiter = ";"
decimal = ","
thousands = "."
encoding = "windows-1252"
skip = 2
footer = 3
year = "first"
[wide]
years = "{year} [YR{year}]"
"""
    profile = parse_mapping(text.replace(" [YR{year}]", ""), "m").profile
    assert profile.columns == {Role.QUESTION: "{Question}: {Response}"}
    assert profile.strata == ("Sex", "Age")
    assert profile.keep == {"Type": ("Crude",), "Age": ("All", "Total")}
    assert (profile.pool, profile.confidence_percent, profile.wide_years) == (True, 90.0, "{year}")
    assert profile.file == FileForm(";", ",", ".", "windows-1252", 2, 3, "first")
    assert parse_mapping(text, "m").profile.wide_years == "{year} [YR{year}]"


def test_a_role_s_text_may_be_made_of_several_columns(tmp_path: Path) -> None:
    table = (
        "County,State,What,Unit,Year,Value\n"
        "Washington,AL,Obesity,%,2022,42\nWashington,CO,Obesity,%,2022,28\n,OR,Obesity,,2022,29\n"
    )
    mapping = """[columns]
question = "{What} ({unit})"
location = "{County}, {State}"
value = "Value"
"""
    cube, report = read(written(tmp_path, table), mapping)
    assert [place.name for place in cube.locations] == ["OR", "Washington, AL", "Washington, CO"]
    assert [question.text for question in cube.questions] == ["Obesity", "Obesity (%)"]
    assert report.columns["location"] == "{County}, {State}"


def test_a_text_that_is_exactly_a_header_is_that_column(tmp_path: Path) -> None:
    table = "{a} {b},LocationDesc,Year,Data_Value\nQ,Ohio,2020,1\n"
    cube, _ = read(written(tmp_path, table), '[columns]\nquestion = "{a} {b}"')
    assert cube.questions[0].text == "Q"


def test_a_column_of_a_text_that_the_file_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column is called 'Countie' \(location\)"):
        read(written(tmp_path, csv_text([ROW])), '[columns]\nlocation = "{Countie}, {LocationAbbr}"')


def test_a_number_is_one_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="value is '{Data_Value}{Sample_Size}'; a number must be one column"):
        read(written(tmp_path, csv_text([ROW])), '[columns]\nvalue = "{Data_Value}{Sample_Size}"')


def test_only_rows_with_the_stated_texts_are_kept_whatever_their_spelling(tmp_path: Path) -> None:
    table = "Question,LocationDesc,Year,Data_Value,Type\n" + "".join(
        f"Q,Ohio,{year},{value},{kind}\n"
        for year, value, kind in (
            (2020, 1, "Crude"),
            (2020, 2, "Adjusted"),
            (2021, 3, " crude"),
            (2022, 4, "CRUDE\u00a0"),
        )
    )
    source = written(tmp_path, table)
    cube, _ = read(source, '[rows]\nkeep = {type = "Crude"}')
    assert (cube.years, cube.cells.value_sum.tolist()) == ((2020, 2021, 2022), [1.0, 3.0, 4.0])
    with pytest.raises(DataError) as caught:
        read(source, '[rows]\nkeep = {Type = ["crud", "x"]}')
    assert "leaves no row: 'Type' is never 'crud' or 'x'; it is ' crude', 'Adjusted', 'CRUDE\\xa0', 'Crude'" in str(
        caught.value
    )
