"""Names as CDC writes them, and as somebody else might."""

from __future__ import annotations

import pytest

from meantime.survey.questions import Direction, LocationKind
from meantime.survey.reading.profile import Profile, known_question, known_survey

PROFILE = Profile()


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("Percent of adults who have obesity", Direction.LOWER_IS_BETTER),
        ("PERCENT OF ADULTS  who have obesity ", Direction.LOWER_IS_BETTER),
        ("Percent of adults aged 65 years and older who have obesity", Direction.LOWER_IS_BETTER),
        ("Percent of adults who do not have obesity", None),
        ("Percent of WIC children aged 2 to 4 years who have obesity", None),
        ("Percent of adults who report consuming fruit at least one time daily", None),
        ("Percent of students in grades 9-12 who have obesity", None),
    ],
)
def test_a_question_is_known_by_its_words_and_not_by_its_id(text: str, direction: Direction | None) -> None:
    assert PROFILE.question(text, "Q036", "").direction is direction


def test_the_row_with_most_words_is_taken() -> None:
    both = "adults ... at least 150 minutes ... aerobic ... muscle-strengthening activities on 2 or more days a week"
    found = known_question(both)
    assert found is not None
    assert "at least 150 minutes" in found.words


def test_questions_of_two_surveys_are_of_none() -> None:
    texts = ["Percent of adults who have obesity", "Percent of WIC children who have obesity"]
    questions = tuple(PROFILE.question(text, "", "") for text in texts)
    assert known_survey(questions) is None
    assert known_survey(questions[:1]) is not known_survey(questions[1:])
    assert known_survey(()) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("National", LocationKind.NATION),
        ("UNITED  STATES", LocationKind.NATION),
        ("puerto rico", LocationKind.TERRITORY),
        ("District of Columbia", LocationKind.STATE),
    ],
)
def test_kinds_of_locations(name: str, kind: LocationKind) -> None:
    assert PROFILE.location(name, "", "").kind is kind


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("1", "01"), ("01", "01"), ("36.0", "36"), ("", ""), ("36061", "36061"), ("1001", "01001"), ("129", "00129"),
        ("01001020100", "01001020100"), ("1001020100", "01001020100"), ("123456", ""), ("x", ""), ('="01"', ""),
    ],
)  # fmt: skip
def test_fips_codes_have_their_full_length_or_are_none(written: str, code: str) -> None:
    assert PROFILE.location("Ohio", "", written).fips == code


@pytest.mark.parametrize(("unit", "expected"), [("%", "percent"), ("", "percent"), ("days", "days")])
def test_a_percent_sign_is_a_unit_in_words(unit: str, expected: str) -> None:
    assert PROFILE.question("Percent of adults who have obesity", "", unit).unit == expected


def test_a_question_that_nobody_knows_has_no_unit_unless_its_rows_name_one() -> None:
    assert PROFILE.question("Q", "", "").unit == ""
    assert PROFILE.question("Q", "", "%").unit == "percent"


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("Percent of adults who report consuming fruit less than one time daily", [2011, 2017]),
        ("Percent of adults who report consuming vegetables less than one time daily", [2011, 2017]),
        ("Percent of adults aged 18 years and older who have obesity", [2011]),
        ("Percent of adults who engage in muscle-strengthening activities on 2 or more days a week", [2011]),
        ("Percent of adults who achieve at least 300 minutes a week of moderate-intensity aerobic", [2011, 2023]),
        ("Percent of WIC children aged 2 to 4 years who have obesity", []),
        ("Percent of visitors who come back", []),
    ],
)
def test_known_breaks_have_a_year_a_reason_and_a_source_of_the_publisher(text: str, years: list[int]) -> None:
    breaks = PROFILE.question(text, "", "").breaks
    assert [each.year for each in breaks] == years
    assert all(each.reason and each.source.startswith("https://www.cdc.gov/") for each in breaks)


def test_a_direction_that_a_mapping_states_leaves_the_breaks_as_they_are() -> None:
    text = "Percent of adults aged 18 years and older who have obesity"
    stated = Profile(directions={text: Direction.HIGHER_IS_BETTER}).question(text, "", "")
    assert [each.year for each in stated.breaks] == [2011]
