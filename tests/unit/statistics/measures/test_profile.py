"""The profile of a place: each of its numbers is the single statistic's; what is chosen, said and refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial

import orjson
import pytest

from meantime.errors import InvalidParameterError, StatisticError, TimeLimitError
from meantime.formats.csv_file import encode_csv
from meantime.formats.json_stat import encode_json_stat
from meantime.formats.parquet import column_types
from meantime.statistics.result import Record, Result
from meantime.statistics.statistic import StatisticData
from meantime.survey.ingest.notes import Note
from meantime.survey.ingest.single_estimates import SingleEstimates
from tests.agreement import disagreement
from tests.asking import ask, records_in, request_for
from tests.bundled import bundled_cube, bundled_rows
from tests.cubes import cube_of
from tests.reference import Row
from tests.reference_profile import Ask, Asked, asking, profile
from tests.tables import OBESITY, STRENGTH, VISITS

DIMENSIONS = {"part", "question", "location", "year", "category", "stratum"}
IDS = {OBESITY: "Q036", STRENGTH: "Q046", VISITS: "V001"}


def row(
    value: float | None, location: str = "Ohio", *, question: str = OBESITY, year: int = 2020, stratum: str = "Total"
) -> Row:
    low, high = (None, None) if value is None else (value - 1, value + 1)
    category = "Total" if stratum == "Total" else "Sex"
    return Row(question, IDS[question], location, location[:2], year, category, stratum, value, low, high, 400.0)


def part(records: list[Record], name: str) -> list[Record]:
    return [record for record in records if record["part"] == name]


def profile_of(rows: list[Row], place: str = "Ohio", **asked: object) -> list[Record]:
    return records_in("profile", cube_of(rows), {"place": place, **asked})


def cautions_of(rows: list[Row], place: str = "Ohio", **asked: object) -> list[str]:
    found = ask("profile", cube_of(rows), {"place": place, **asked})["cautions"]
    assert isinstance(found, list)
    return found


# ---- each number is the single statistic's --------------------------------------------------------------------------


@cache
def bundled_asking() -> Ask:
    """Who answers single questions on CDC's table; what doesn't hang on the place is asked once."""
    answer, kept = asking(bundled_cube()), dict[str, list[Record]]()

    def found(name: str, parameters: Mapping[str, object]) -> list[Record]:
        if name not in {"ranking", "distribution"} and parameters["locations"] != ["National"]:
            return answer(name, parameters)
        key = f"{name} {sorted(parameters.items())}"
        if key not in kept:
            kept[key] = answer(name, parameters)
        return kept[key]

    return found


@cache
def rows_by_place() -> dict[str, list[Row]]:
    """The rows of each place; and, as those of nobody, one of each question, year and stratum that has a value."""
    found: dict[str, list[Row]] = {}
    for each in bundled_rows():
        found.setdefault(each.location, []).append(each)
    valued = {(each.question, each.year, each.stratum): each for each in bundled_rows() if each.value is not None}
    return found | {"": [each._replace(location="") for each in valued.values()]}


def disagreement_of(place: str, against: str | None, adjust: str = "bh", level: float = 0.95) -> str | None:
    asked = {"place": place, "against": against, "adjust": adjust, "level": level}
    actual = records_in("profile", bundled_cube(), asked)
    other = "National" if against is None and place != "National" else against
    expected = profile(
        rows_by_place()[place] + rows_by_place()[""], bundled_asking(), Asked(place, other, None, adjust, level)
    )
    return disagreement(actual, [dict.fromkeys(actual[0]) | record for record in expected], tolerance=0.0)


@pytest.mark.parametrize(
    ("place", "against", "adjust", "level"),
    [
        ("Ohio", None, "bh", 0.95),
        ("Kentucky", "Texas", "holm", 0.9),
        ("National", None, "none", 0.95),
        ("Virgin Islands", "Guam", "bh", 0.99),
    ],
)
def test_each_number_is_the_one_that_its_own_statistic_gives(
    place: str, against: str | None, adjust: str, level: float
) -> None:
    assert disagreement_of(place, against, adjust, level) is None


@pytest.mark.slow
def test_each_number_of_every_place_is_the_one_that_its_own_statistic_gives() -> None:
    places = [place.name for place in bundled_cube().locations]
    assert len(places) == 55
    assert {place: found for place in places if (found := disagreement_of(place, None)) is not None} == {}


def test_there_is_a_record_of_every_question_and_they_stand_part_by_part() -> None:
    records = records_in("profile", bundled_cube(), {"place": "Ohio"})
    parts = [record["part"] for record in records]
    assert list(dict.fromkeys(parts)) == ["now", "trend", "disparity", "year", "stratum"]
    assert parts == sorted(parts, key=list(dict.fromkeys(parts)).index)
    questions = [question.text for question in bundled_cube().questions]
    assert [record["question"] for record in part(records, "now")] == questions
    assert [record["question"] for record in part(records, "trend")] == questions


def test_one_table_holds_all_parts_in_every_format() -> None:
    answer = ask("profile", bundled_cube(), {"place": "Ohio"})
    records = answer["records"]
    assert isinstance(records, list)
    cube = orjson.loads(encode_json_stat(answer))
    assert cube["id"] == ["part", "question", "location", "year", "stratum", "measure"]
    assert len(cube["value"]) == sum(
        record[name] is not None for record in records for name in set(record) - DIMENSIONS
    )
    rows = list(csv.DictReader(io.StringIO(encode_csv(answer).decode("utf-8-sig"))))
    assert [row["unit"] for row in rows] == [record["unit"] for record in records]
    assert column_types(records)["value"] == "DOUBLE"


def test_the_requests_that_are_explained_give_the_numbers_alone() -> None:
    cube, asked = bundled_cube(), {"place": "Ohio", "questions": ["Q036"], "explain": True}
    answer = orjson.loads(orjson.dumps(ask("profile", cube, asked)))
    found = [
        (request["statistic"], ask(request["statistic"], cube, request["parameters"])["records"])
        for request in answer["explanation"]["requests"]
    ]
    assert [name for name, _ in found] == [
        *("mean", "mean", "difference", "ranking", "distribution", "trend"),
        *["disparity"] * 5,
    ]
    now = answer["records"][0]
    (ranked,) = [record for record in dict(found)["ranking"] if record["location"] == "Ohio"]
    assert [ranked[name] for name in ("rank", "rank_low", "rank_high")] == [39, now["rank_low"], now["rank_high"]]
    assert {each["part"]: each["test_count"] for each in answer["explanation"]["sums"]} == {
        "now": 1,
        "trend": 1,
        "disparity": 5,
    }


# ---- which year, which trend, which end -----------------------------------------------------------------------------


def test_a_value_is_of_the_newest_year_that_the_place_has_and_ranks_are_of_that_year() -> None:
    rows = [row(30.0, year=2019), row(None, year=2020), row(20.0, "Utah", year=2019), row(50.0, "Utah", year=2020)]
    (now,) = part(profile_of(rows), "now")
    assert (now["year"], now["value"], now["rank"], now["ranked_count"]) == (2019, 30.0, 2, 2)
    assert now["absence"] is None
    (asked,) = part(profile_of(rows, year=2020), "now")
    assert (asked["year"], asked["value"], asked["rank"], asked["absence"]) == (2020, None, None, "not_surveyed")


def test_trends_end_with_the_year_that_is_asked_for() -> None:
    rows = [row(20.0 + year - 2015, year=year) for year in range(2015, 2021)]
    assert [record["last_year"] for record in part(profile_of(rows), "trend")] == [2020]
    until = profile_of(rows, year=2018)
    assert [record["last_year"] for record in part(until, "trend")] == [2018]
    assert [record["year"] for record in part(until, "year")] == [2015, 2016, 2017, 2018]


def test_a_trend_before_a_known_break_says_that_it_is_none_of_today() -> None:
    rows = [row(30.0 + year - 2007, year=year) for year in (2007, 2008, 2009, 2012)]
    records = profile_of(rows)
    (trend,) = part(records, "trend")
    assert (trend["first_year"], trend["last_year"], trend["breaks_since"]) == (2007, 2009, "2011")
    assert [record["stretch"] for record in part(records, "year")] == [0, 0, 0, 1]
    assert "trends that end before a known break, and say nothing of the years since: Q036 in 2009" in cautions_of(rows)


def test_of_two_stretches_the_trend_is_that_of_the_last() -> None:
    (trend,) = part(profile_of([row(30.0, year=year) for year in (2008, 2009, 2012, 2013)]), "trend")
    assert (trend["first_year"], trend["last_year"], trend["stretch"], trend["breaks_since"]) == (2012, 2013, 1, "")


def test_the_first_rank_is_the_best_and_without_a_direction_the_highest() -> None:
    values = {"Ohio": 20.0, "Utah": 30.0}
    rows = [
        row(value, name, question=question)
        for name, value in values.items()
        for question in (OBESITY, STRENGTH, VISITS)
    ]
    found = [(each["question"], each["rank"], each["first_rank"], each["direction"]) for each in profile_of(rows)[:3]]
    assert found == [
        (OBESITY, 1, "best", "lower_is_better"),
        (STRENGTH, 2, "best", "higher_is_better"),
        (VISITS, 2, "highest", None),
    ]


def test_without_a_direction_verdicts_are_higher_and_lower_rising_and_falling() -> None:
    rows = [row(10.0 + 5 * (year - 2019), question=VISITS, year=year) for year in (2019, 2020)]
    rows += [row(50.0, "National", question=VISITS, year=year) for year in (2019, 2020)]
    records = profile_of(rows)
    assert [record["verdict"] for record in part(records, "now")] == ["lower"]
    assert [(record["verdict"], record["course"]) for record in part(records, "trend")] == [("rising", "rising")]


# ---- what isn't there -----------------------------------------------------------------------------------------------


def test_a_value_that_is_missing_says_why() -> None:
    rows = [row(30.0, year=2019), row(30.0, year=2020), row(None, year=2021, question=STRENGTH)]
    rows += [row(30.0, "Utah", year=year) for year in (2018, 2019, 2020, 2021)]
    rows += [row(30.0, "Utah", question=STRENGTH, year=year) for year in (2020, 2021)]
    rows += [row(31.0, stratum="Male"), row(None, stratum="Female"), row(40.0, "Utah", stratum="Other")]
    records = profile_of(rows)
    assert [(each["year"], each["absence"]) for each in part(records, "year") if each["question"] == OBESITY] == [
        (2018, "not_surveyed"),
        (2019, None),
        (2020, None),
        (2021, "not_surveyed"),
    ]
    assert [(each["year"], each["absence"]) for each in part(records, "year") if each["question"] == STRENGTH] == [
        (2020, "not_asked"),
        (2021, "not_surveyed"),
    ]
    strata = [(each["stratum"], each["absence"]) for each in part(records, "stratum")]
    assert strata == [("Female", "suppressed"), ("Male", None), ("Other", "missing")]
    assert [each["absence"] for each in part(records, "now")] == [None, "not_surveyed"]
    cautions = cautions_of(rows)
    assert "Ohio isn't in the survey of 2018, 2021" in cautions
    assert any(caution.startswith("suppressed: 1 of 3 estimates of strata") for caution in cautions)
    assert "not all questions are of one year: 2020 Q036; 2021 Q046" in cautions


def test_a_table_of_one_year_has_no_trend_and_one_without_strata_no_disparity() -> None:
    records = profile_of([row(30.0), row(31.0, "Utah")])
    assert {record["part"] for record in records} == {"now", "year"}
    cautions = cautions_of([row(30.0), row(31.0, "Utah")])
    assert (
        "without a trend, because no two years on one side of a known break have a value and a standard error: Q036"
        in cautions
    )
    assert "without a disparity, because no two strata of a category have a value: Q036" in cautions


def test_without_a_nation_nothing_is_compared_unless_a_place_is_named() -> None:
    rows = [row(30.0), row(20.0, "Utah")]
    (now,) = part(profile_of(rows), "now")
    assert (now["against"], now["reference"], now["difference"], now["verdict"]) == (None, None, None, None)
    assert "compared with nothing, because the dataset has no nation; name a location in `against`" in cautions_of(rows)
    (against,) = part(profile_of(rows, against="Utah"), "now")
    assert (against["against"], against["difference"], against["verdict"]) == ("Utah", 10.0, "worse")


def test_the_nation_has_a_profile_that_is_compared_with_nothing_and_not_ranked() -> None:
    rows = [row(30.0, "National"), row(20.0, "Utah")]
    (now,) = part(profile_of(rows, "National"), "now")
    assert (now["against"], now["rank"], now["states_maximum"]) == (None, None, 20.0)
    cautions = cautions_of(rows, "National")
    assert "compared with nothing, because the place is the nation; name a location in `against`" in cautions
    assert "without a rank: only states are ranked, and National is none" in cautions


def test_a_reference_without_a_value_leaves_the_rest_of_the_profile() -> None:
    (now,) = part(profile_of([row(30.0), row(None, "National"), row(20.0, "Utah")]), "now")
    assert (now["value"], now["against"], now["verdict"], now["rank"]) == (30.0, None, None, 2)


def test_a_caution_of_some_questions_names_them() -> None:
    rows = [row(30.0, question=question, year=year) for question in (OBESITY, VISITS) for year in (2019, 2020)]
    cautions = cautions_of(rows)
    unknown = "nobody has said which end of this question is better; verdicts are higher and lower"
    assert f"V001: {unknown}" in cautions
    assert "the samples of different years are taken as independent" in cautions


def test_where_cells_hold_several_estimates_no_file_is_read_for_the_spread_of_the_states() -> None:
    class Unread:
        def single_estimates(self, *_: object) -> SingleEstimates:
            raise AssertionError("a profile reads no file")

    cube = cube_of([row(30.0), row(32.0), row(20.0, "Utah")])
    found = request_for("profile", cube, {"place": "Ohio"}).compute(StatisticData(cube, Unread()))
    assert isinstance(found, Result)
    now = found.records[0]
    assert (now["value"], now["cells_used"], now["rank"], now["states_minimum"]) == (31.0, 2, 2, None)


def test_each_record_has_its_own_unit() -> None:
    cube = cube_of(
        [row(30.0, year=year, stratum=name) for year in (2019, 2020) for name in ("Total", "Male", "Female")]
    )
    (question,) = cube.questions
    cube = replace(cube, questions=(replace(question, unit="USD"),))
    records = records_in("profile", cube, {"place": "Ohio"})
    assert {record["part"]: record["unit"] for record in records} == {
        "now": "USD",
        "trend": "USD per year",
        "disparity": "USD",
        "year": "USD",
        "stratum": "USD",
    }
    with pytest.raises(InvalidParameterError, match="the question's unit is 'USD'"):
        records_in("profile", cube, {"place": "Ohio", "scale": "logit"})


# ---- several tests in one answer ------------------------------------------------------------------------------------


def test_p_values_are_adjusted_over_the_questions_of_the_profile() -> None:
    values = {OBESITY: 32.5, STRENGTH: 30.0, VISITS: 30.0}
    rows = [row(value, question=question) for question, value in values.items()]
    rows += [row(30.0, "National", question=question) for question in values]
    alone, together = (part(profile_of(rows, questions=questions), "now")[0] for questions in ([OBESITY], None))
    assert alone["p_value"] == together["p_value"] == alone["p_adjusted"]
    assert isinstance(alone["p_value"], float)
    assert together["p_adjusted"] == pytest.approx(3 * alone["p_value"])
    assert 3 * alone["p_value"] < 0.05
    stricter = part(profile_of(rows, level=0.9995, questions=None), "now")[0]
    assert stricter["verdict"] == "no clear difference"


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_what_can_t_be_asked_is_refused_with_the_field() -> None:
    rows = [row(30.0), row(20.0, "Utah")]
    with pytest.raises(InvalidParameterError, match="Ohio would be compared with itself") as refused:
        profile_of(rows, against="Ohio")
    assert refused.value.field == "against"
    with pytest.raises(InvalidParameterError, match="has no overall stratum") as refused:
        profile_of([row(30.0, stratum="Male"), row(30.0, stratum="Female")])
    assert refused.value.field == "place"


def test_more_records_than_an_answer_may_have_are_refused() -> None:
    rows = [
        Row(f"{number}", f"{number}", "Ohio", "OH", year, "Total", "Total", 30.0, 29.0, 31.0, 400.0)
        for number in range(260)
        for year in range(1900, 2000)
    ]
    with pytest.raises(StatisticError, match="up to 27040 records are more than the 25000 .* name fewer questions"):
        profile_of(rows)
    assert len(part(profile_of(rows, questions=["7", "9"]), "now")) == 2


def test_all_questions_named_one_by_one_are_all_of_them() -> None:
    cube = bundled_cube()
    named = {"place": "Ohio", "questions": [question.question_id for question in cube.questions]}
    assert request_for("profile", cube, named) == request_for("profile", cube, {"place": "Ohio"})


def test_a_time_limit_ends_the_profile_at_whatever_step_it_comes() -> None:
    """It is a StatisticError, as is that a question has no answer, after which a profile goes on."""
    cube = bundled_cube()
    request, steps = request_for("profile", cube, {"place": "Ohio", "questions": ["Q036"]}), [0]

    def end_at(last: int) -> None:
        steps[0] += 1
        if steps[0] == last:
            raise TimeLimitError("timeout: the job ran too long")

    request.compute(StatisticData(cube, checkpoint=partial(end_at, 0)))
    step_count = steps[0]
    assert step_count > 10
    for last in [*range(1, step_count, 9), *range(step_count - 8, step_count + 1)]:
        steps[0] = 0
        with pytest.raises(TimeLimitError):
            request.compute(StatisticData(cube, checkpoint=partial(end_at, last)))


def test_a_note_touches_a_profile_by_its_questions_and_the_places_it_rests_on() -> None:
    cube = cube_of([row(30.0), row(20.0, "Utah"), row(20.0, "Guam", question=STRENGTH)])
    request = request_for("profile", cube, {"place": "Ohio", "questions": [OBESITY]})

    def touches(**about: frozenset[str]) -> bool:
        return request.touches(Note(kind="odd", text="Odd.", **about), cube)  # type: ignore[arg-type]  # sets of texts

    assert touches(questions=frozenset({OBESITY}), locations=frozenset({"Utah"}))
    assert not touches(questions=frozenset({STRENGTH}))
    assert not touches(locations=frozenset({"Guam"}))
