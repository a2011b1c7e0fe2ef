"""Profiles of any table: as the reference puts them together; of its questions each stands for itself."""

from __future__ import annotations

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from meantime.statistics.result import Record
from tests.agreement import disagreement
from tests.asking import records_in
from tests.cubes import cube_of
from tests.property.test_statistics_comparisons import LEVELS
from tests.reference import Row
from tests.reference_profile import Asked, asking, profile
from tests.tables import LOCATIONS, OBESITY, QUESTIONS, SEGMENTS, STRENGTH, VISITS, tables


def with_everybody(rows: list[Row]) -> list[Row]:
    """Return a table that has rows of everybody: those of its first stratum, if it has none."""
    if any(row.category == "Total" for row in rows):
        return rows
    first = (rows[0].category, rows[0].stratum)
    return [
        row._replace(category="Total", stratum="Total") if (row.category, row.stratum) == first else row for row in rows
    ]


TABLES = tables(questions=(OBESITY, STRENGTH, VISITS), segments=[SEGMENTS[place] for place in (1, 2, 4, 6, 8)]).map(
    with_everybody
)
ADJUSTED = {"p_adjusted", "verdict", "course"}


def profile_in(rows: list[Row], **asked: object) -> list[Record]:
    return records_in("profile", cube_of(rows), asked)


def places_in(rows: list[Row]) -> list[str]:
    return sorted({row.location for row in rows})


@given(TABLES, st.data(), st.sampled_from(("none", "holm", "bh")), LEVELS)
def test_a_profile_is_what_the_reference_puts_together(
    rows: list[Row], data: st.DataObject, adjust: str, level: float
) -> None:
    places = places_in(rows)
    place = data.draw(st.sampled_from(places))
    against = data.draw(st.none() | st.sampled_from(places))
    year = data.draw(st.none() | st.sampled_from(sorted({row.year for row in rows})))
    assume(place != against)
    actual = profile_in(rows, place=place, against=against, year=year, adjust=adjust, level=level)
    other = against or ("National" if "National" in places and place != "National" else None)
    expected = profile(rows, asking(cube_of(rows)), Asked(place, other, year, adjust, level))
    assert disagreement(actual, [dict.fromkeys(actual[0]) | record for record in expected], tolerance=0.0) is None


@given(TABLES, st.randoms())
def test_the_order_of_a_table_decides_nothing_of_a_profile(rows: list[Row], random: Random) -> None:
    place, turned = places_in(rows)[0], list(rows)
    random.shuffle(turned)
    assert profile_in(turned, place=place) == profile_in(rows, place=place)


@given(TABLES, st.permutations([OBESITY, STRENGTH, VISITS]))
def test_a_question_has_the_same_profile_whatever_else_is_asked(rows: list[Row], order: list[str]) -> None:
    place, asked = places_in(rows)[0], order[:2]
    whole = profile_in(rows, place=place, adjust="none")
    assert profile_in(rows, place=place, adjust="none", questions=asked) == [
        record for record in whole if record["question"] in asked
    ]
    some = profile_in(rows, place=place, questions=asked)
    for record, alone in zip(some, [each for each in whole if each["question"] in asked], strict=True):
        assert {name: record[name] for name in record.keys() - ADJUSTED} == {
            name: alone[name] for name in record.keys() - ADJUSTED
        }
        assert record["verdict"] in {alone["verdict"], "no clear difference", "no clear change"}


@given(TABLES, st.permutations([OBESITY, STRENGTH, VISITS]))
def test_names_of_questions_decide_their_order_alone(rows: list[Row], names: list[str]) -> None:
    """What has a direction or breaks keeps its name, so the names are given to tables without either."""
    place = places_in(rows)[0]
    given_to = dict(zip(QUESTIONS, ("a", "b", "c"), strict=True))
    turned = {given_to[old]: given_to[new] for old, new in zip(QUESTIONS, names, strict=True)}
    before = [row._replace(question=given_to[row.question], question_id="") for row in rows]
    after = [row._replace(question=turned[row.question]) for row in before]
    moved = [record | {"question": turned[str(record["question"])]} for record in profile_in(before, place=place)]
    parts = list(dict.fromkeys(record["part"] for record in moved))
    moved.sort(key=lambda record: (parts.index(record["part"]), str(record["question"])))
    assert profile_in(after, place=place) == moved


@given(TABLES, st.data())
def test_other_places_decide_ranks_and_the_spread_and_nothing_else(rows: list[Row], data: st.DataObject) -> None:
    places = places_in(rows)
    place = data.draw(st.sampled_from(places))
    others = [name for name in places if name not in {place, "National"}]
    gone = data.draw(st.sampled_from(others)) if others else ""
    fewer = [row for row in rows if row.location != gone]
    asked = [(row.question, row.year, row.category, row.stratum) for row in fewer]
    assume(all((row.question, row.year, row.category, row.stratum) in asked for row in rows))
    assume({row.question for row in fewer if row.value is not None} == {row.question for row in rows})
    valued = [{(row.question, row.year) for row in each if row.value is not None} for each in (rows, fewer)]
    assume(valued[0] == valued[1])
    before, after = (profile_in(each, place=place, scale="linear") for each in (rows, fewer))
    ranks = {name for name in before[0] if name.startswith(("rank", "states_", "tied", "first_rank"))}
    for one, other in zip(before, after, strict=True):
        assert {name: one[name] for name in one.keys() - ranks} == {name: other[name] for name in one.keys() - ranks}
    assert gone in {"", *LOCATIONS}
