"""Comparisons on CDC's table that misled: unequal years and strata, states that the nation lacks, words not earned.

The figures are plain arithmetic on the table's rows, on the linear scale.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.nation import states_lacking
from meantime.statistics.result import Record
from tests.asking import ask, records_in
from tests.bundled import bundled_cube, bundled_rows
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

pytestmark = pytest.mark.slow

UNCLEAR = "no clear difference"


def records(name: str, **request: object) -> list[Record]:
    return records_in(name, bundled_cube(), {"question": "Q036", "scale": "linear", **request})


def record(name: str, **request: object) -> Record:
    (found,) = records(name, **request)
    return found


def cautions(name: str, **request: object) -> list[str]:
    found = ask(name, bundled_cube(), {"question": "Q036", **request})["cautions"]
    assert isinstance(found, list)
    return found


# ---- the same years and strata on both sides --------------------------------------------------------------------


def test_a_location_without_a_year_is_compared_over_the_years_it_has() -> None:
    """Against the nation's mean of both years Pennsylvania's 2012 was 1.15 lower, and "better"."""
    found = record("difference", years=[2012, 2023], locations=["Pennsylvania"])
    assert found["difference"] == pytest.approx(29.1 - 27.7)
    assert found["p_value"] == pytest.approx(0.0086, abs=5e-5)
    assert (found["verdict"], found["cells_matched"], found["cells_left_out"]) == ("worse", 1, 1)
    assert found["left_out"] == "2023"
    said = cautions("difference", years=[2012, 2023], locations=["Pennsylvania"])
    assert any("Pennsylvania without 2023" in caution for caution in said)


def test_a_missing_year_changes_no_difference_from_the_nation() -> None:
    rows = [row for row in bundled_rows() if row.question_id == "Q036" and row.stratum == "Total"]
    lacking = [(row.location, row.year) for row in rows if row.value is None and row.location not in TERRITORIES]
    compared = 0
    for location, year in lacking:
        for other in sorted({row.year for row in rows} - {absent for name, absent in lacking if name == location}):
            both, alone = (
                record("difference", years=years, locations=[location]) for years in ([year, other], [other])
            )
            assert [both[name] for name in TESTED] == [alone[name] for name in TESTED]
            compared += 1
    assert compared > 40


TERRITORIES = {"Guam", "Puerto Rico", "Virgin Islands"}
TESTED = ("difference", "difference_standard_error", "p_value", "verdict")


def test_a_location_without_strata_is_compared_over_the_strata_it_has() -> None:
    """Three of Mississippi's strata against eight of the nation's were 5.6 apart, and "worse"."""
    found = record("difference", years=[2023], locations=["Mississippi"], categories=["Race/Ethnicity"])
    assert found["difference"] == pytest.approx(1.3333, abs=1e-4)
    assert found["p_value"] == pytest.approx(0.6247, abs=5e-5)
    assert (found["verdict"], found["cells_matched"], found["cells_left_out"]) == (UNCLEAR, 3, 5)


def place(location: str, year: int, value: float | None, stratum: str = "Total") -> Row:
    limits = (None, None, None) if value is None else (value - 1, value + 1, 400.0)
    return Row(OBESITY, "Q036", location, location[:2], year, stratum, stratum, value, *limits)


def test_what_has_no_year_in_common_is_not_compared_and_keeps_its_values() -> None:
    cube = cube_of([place("Iowa", 2012, 30.0), place("Ohio", 2013, 31.0), place("Utah", 2013, 33.0)])
    request = {"question": OBESITY, "years": [2012, 2013], "against": "Iowa"}
    ohio, _ = records_in("difference", cube, request)
    assert (ohio["value"], ohio["reference"], ohio["difference"], ohio["verdict"]) == (31.0, 30.0, None, None)
    assert (ohio["cells_matched"], ohio["left_out"]) == (0, "2012, 2013")
    said = ask("difference", cube, request)["cautions"]
    assert isinstance(said, list)
    assert any("not compared" in caution and "Ohio, Utah" in caution for caution in said)


def test_a_missing_year_decides_no_rank() -> None:
    """Everybody rises by 5 in 2013: who lacks that year looked lower than who has it."""
    rows = [
        *(place(name, year, value + 5 * (year - 2012)) for name, value in HIGH_TO_LOW.items() for year in (2012, 2013))
    ]
    without = [row for row in rows if (row.location, row.year) != ("Iowa", 2013)]
    request = {"question": OBESITY, "years": [2012, 2013], "end": "highest"}
    found = records_in("ranking", cube_of(without), request)
    assert [one["location"] for one in found] == list(HIGH_TO_LOW)
    assert {one["cells_matched"] for one in found} == {1}
    assert [one["left_out"] for one in found] == ["", "2013", "2013"]
    said = ask("ranking", cube_of(without), request)["cautions"]
    assert isinstance(said, list)
    assert any("left out: 2013, which some lack: Iowa" in caution for caution in said)


HIGH_TO_LOW = {"Iowa": 33.0, "Ohio": 31.0, "Utah": 29.0}


def test_a_location_that_shares_nothing_is_not_ranked() -> None:
    rows = [place("Iowa", 2011, 25.0), *(place("Ohio", year, 31.0) for year in (2012, 2013))]
    rows += [place("Utah", year, 29.0) for year in (2012, 2013)]
    request = {"question": OBESITY, "years": [2011, 2012, 2013], "end": "highest"}
    assert [one["location"] for one in records_in("ranking", cube_of(rows), request)] == ["Ohio", "Utah"]
    apart = cube_of([place("Iowa", 2011, 25.0), place("Ohio", 2012, 30.0)])
    with pytest.raises(StatisticError, match="choose one year"):
        records_in("ranking", apart, request | {"years": [2011, 2012]})


def test_questions_are_correlated_over_what_all_locations_have_for_both() -> None:
    request = {"against_question": "Q046", "locations": ["states"]}
    both, alone = (
        records_in("correlation", bundled_cube(), {"question": "Q036", "years": years, **request})
        for years in ([2021, 2022, 2023], [2023])
    )
    assert [one["value"] for one in both] == [one["value"] for one in alone]


def test_sides_with_weights_of_their_own_are_warned_of() -> None:
    request: dict[str, object] = {"years": [2022, 2023], "locations": ["Ohio"]}
    said = cautions("difference", **request, weights="sample_size")
    assert any("weights of its own" in caution for caution in said)
    assert not any("weights of its own" in caution for caution in cautions("difference", **request))


# ---- the nation and its states ----------------------------------------------------------------------------------


def test_the_states_that_the_nation_is_without_are_read_off_its_sample_size() -> None:
    cube = bundled_cube()
    obesity = cube.question_index["Q036"]
    lacking = {year: states_lacking(cube, obesity, year) for year in cube.years}
    assert {year: states for year, states in lacking.items() if states} == {
        2019: ("New Jersey",),
        2021: ("Florida",),
        2023: ("Kentucky", "Pennsylvania"),
    }


def test_a_nation_with_more_people_than_its_states_lacks_nobody_for_sure() -> None:
    rows = [place(name, year, 30.0) for name in ("Iowa", "National", "Ohio") for year in (2012, 2013)]
    rows = [row._replace(sample_size=800.0) if row.location == "National" else row for row in rows]
    rows = [row for row in rows if (row.location, row.year) != ("Ohio", 2013)]
    cube = cube_of(rows)
    assert states_lacking(cube, 0, 2013) == ()
    fewer = cube_of([row._replace(sample_size=400.0) if row.year == 2013 else row for row in rows])
    assert states_lacking(fewer, 0, 2013) == ("Ohio",)


def test_two_years_of_a_nation_of_unequal_states_are_warned_of() -> None:
    found = record("compare", years=[2023], against_year=2022, locations=["National"])
    assert found["verdict"] == "better"
    assert found["p_value"] == pytest.approx(0.0335, abs=5e-5)
    said = cautions("compare", years=[2023], against_year=2022, locations=["National"])
    assert any("without Kentucky, Pennsylvania in 2023; so it isn't the same states" in caution for caution in said)
    yearly = cautions("mean", years=[2022, 2023], locations=["National"], by=["year"])
    assert any("without Kentucky, Pennsylvania in 2023" in caution for caution in yearly)
    same = cautions("compare", years=[2018], against_year=2017, locations=["National"])
    assert not any("is without" in caution for caution in same)


def test_a_fixed_panel_compares_the_same_states_with_the_same_weights() -> None:
    found = record("compare", years=[2023], against_year=2022, panel="fixed")
    rows = {
        (row.location, row.year): row
        for row in bundled_rows()
        if (row.question_id, row.stratum) == ("Q036", "Total") and row.value is not None
    }
    names = {name for name, year in rows if year == 2022} & {name for name, year in rows if year == 2023}
    names -= {"National", *TERRITORIES}
    weights = {name: sum(rows[name, year].sample_size or 0 for year in (2022, 2023)) for name in names}
    value, reference = (
        math.fsum(weights[name] * (rows[name, year].value or 0) for name in names) / math.fsum(weights.values())
        for year in (2023, 2022)
    )
    assert (len(names), found["location"], found["cells_used"]) == (49, "states in every year", 49)
    assert found["difference"] == pytest.approx(value - reference)
    assert found["verdict"] == UNCLEAR
    said = cautions("compare", years=[2023], against_year=2022, panel="fixed")
    assert any("without Kentucky, Pennsylvania, which lack one of the years" in caution for caution in said)


def test_a_trend_of_a_fixed_panel_is_that_of_the_same_states_with_the_same_weights() -> None:
    found = record("trend", years=[2011, 2019, 2023], panel="fixed")
    rows = [
        row
        for row in bundled_rows()
        if (row.question_id, row.stratum) == ("Q036", "Total")
        and row.year in {2011, 2019, 2023}
        and row.value is not None
        and row.location not in {"National", *TERRITORIES}
    ]
    present = Counter(row.location for row in rows)
    weights = {name: math.fsum(row.sample_size or 0 for row in rows if row.location == name) for name in present}
    kept = {name: weights[name] for name, count in present.items() if count == 3}
    first, last = (
        math.fsum(kept[row.location] * (row.value or 0) for row in rows if row.year == year and row.location in kept)
        / math.fsum(kept.values())
        for year in (2011, 2023)
    )
    assert (set(present) - set(kept), found["panel_complete"]) == ({"New Jersey", "Kentucky", "Pennsylvania"}, True)
    assert found["location"] == "states in every year"
    assert (found["first_value"], found["last_value"]) == pytest.approx((first, last))
    published = record("trend", years=[2011, 2019, 2023], locations=["National"])
    assert (published["panel_complete"], published["first_value"]) == (False, 27.4)


@pytest.mark.parametrize(
    ("name", "request_", "words"),
    [
        ("compare", {"against_year": 2022, "locations": ["Ohio"]}, "name no other locations"),
        ("compare", {"strata": ["Male"], "against_stratum": "Female"}, "give against_year"),
        ("trend", {"years": [2022, 2023], "include": ["states"]}, "name no other locations"),
        ("trend", {"years": [2022, 2023], "weights": "sample_size"}, "leave weights out"),
    ],
)
def test_a_fixed_panel_of_what_is_not_the_nation_over_years_is_refused(
    name: str, request_: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        records(name, **{"years": [2023]} | request_, panel="fixed")


def test_territories_are_not_called_part_of_the_nation() -> None:
    part = "each state is part of National"
    assert not any(part in caution for caution in cautions("difference", years=[2023], locations=["Guam"]))
    both = cautions("difference", years=[2023], locations=["Guam", "Ohio"])
    assert any(caution.startswith(f"{part}, territories are not") for caution in both)


# ---- directions and words ---------------------------------------------------------------------------------------


def test_overweight_alone_is_higher_or_lower_and_never_better() -> None:
    """All nine states that were "better" than the nation on it are "worse" on obesity."""
    overweight, obesity = (
        {
            one["location"]: one["verdict"]
            for one in records("difference", question=question, years=[2023], adjust="none")
        }
        for question in ("Q037", "Q036")
    )
    assert set(overweight.values()) == {"higher", "lower", UNCLEAR, None}
    lower = [location for location, verdict in overweight.items() if verdict == "lower"]
    assert (len(lower), {obesity[location] for location in lower}) == (9, {"worse"})


def test_best_of_overweight_is_refused_and_highest_is_ranked() -> None:
    with pytest.raises(InvalidParameterError, match="highest or lowest") as refused:
        records("ranking", question="Q037", years=[2023])
    assert refused.value.accepted == ("highest", "lowest")
    first = records("ranking", question="Q037", years=[2023], end="lowest", k=3)
    assert [one["location"] for one in first if one["among_k"]] == ["Mississippi", "Arkansas", "Oklahoma"]
    assert {one["direction"] for one in first} == {None}


def test_the_contract_keeps_its_direction_of_overweight() -> None:
    text = next(row.question for row in bundled_rows() if row.question_id == "Q037")
    best, worst = (list(ask(name, bundled_cube(), {"question": text})) for name in ("best5", "worst5"))
    means = list(ask("states_mean", bundled_cube(), {"question": text}))
    assert best == means[:5]
    assert worst == means[:-6:-1]


# ---- reliability ------------------------------------------------------------------------------------------------


def test_a_comparison_is_as_reliable_as_its_worse_side() -> None:
    """Asian, Colorado 2011: 7.7 with a relative standard error of 49 %."""
    request: dict[str, object] = {"years": [2011], "locations": ["Colorado"]}
    forth = record("compare", **request, strata=["Non-Hispanic White"], against_stratum="Asian")
    back = record("compare", **request, strata=["Asian"], against_stratum="Non-Hispanic White")
    assert (forth["reliability"], back["reliability"], forth["verdict"]) == ("caution", "caution", "worse")


def test_no_comparison_with_an_unreliable_side_is_called_ok() -> None:
    """There are 412 such pairs of strata with a significant difference in the table's newest exports."""
    unreliable = [row for row in bundled_rows() if _is_unreliable(row) and row.category == "Race/Ethnicity"][:40]
    for row in unreliable:
        found = records(
            "compare",
            question=row.question_id,
            years=[row.year],
            locations=[row.location],
            strata=["Non-Hispanic White"],
            against_stratum=row.stratum,
        )
        assert {one["reliability"] for one in found} <= {"caution", "suppressed"}


def _is_unreliable(row: Row) -> bool:
    if not row.value or row.low is None or row.high is None or row.stratum == "Non-Hispanic White":
        return False
    return (row.high - row.low) / (2 * 1.959964) / row.value >= 0.35


@pytest.mark.parametrize(("low", "high"), [(31.0, 33.0), (27.0, 29.0), (30.0, 30.0)])
def test_a_value_outside_its_limits_or_without_a_standard_error_is_not_ok(low: float, high: float) -> None:
    odd = place("Iowa", 2012, 30.0)._replace(low=low, high=high)
    cube = cube_of([odd, place("Ohio", 2012, 30.0)])
    request = {"question": OBESITY, "years": [2012]}
    found = records_in("mean", cube, request | {"by": ["location"]})
    assert [one["reliability"] for one in found] == ["caution", "ok"]
    (pooled,) = records_in("mean", cube, request)
    assert pooled["reliability"] == "caution"


# ---- what counts ------------------------------------------------------------------------------------------------


def test_persons_without_a_weight_are_not_counted() -> None:
    """385,028 persons in all states, of which 20,079 in the two that have a population."""
    people = [
        {"location": "Ohio", "year": 2023, "population": 11785935},
        {"location": "Colorado", "year": 2023, "population": 5877610},
    ]
    found = record("mean", years=[2023], weights="population", population=people)
    sizes = [
        row.sample_size or 0
        for row in bundled_rows()
        if (row.question_id, row.year, row.stratum) == ("Q036", 2023, "Total") and row.location in {"Ohio", "Colorado"}
    ]
    assert found["sample_size"] == sum(sizes) == 20_079
    assert found["cells_used"] == 2


def test_a_value_without_a_weight_is_not_called_suppressed() -> None:
    people = [{"location": "Ohio", "year": 2023, "population": 11785935}]
    ohio, utah = records(
        "mean", years=[2023], by=["location"], locations=["Ohio", "Utah"], weights="population", population=people
    )
    assert (ohio["reliability"], utah["value"], utah["reliability"]) == ("ok", None, "unweighted")
    assert (utah["cells_suppressed"], utah["sample_size"]) == (0, None)


# ---- ties -------------------------------------------------------------------------------------------------------


def test_no_ranking_hangs_on_the_alphabet() -> None:
    """Names turned round decided 19 of 138 rankings."""
    rows = [row for row in bundled_rows() if row.stratum == "Total"]
    states = sorted({row.location for row in rows} - {"National", *TERRITORIES})
    turned = dict(zip(states, reversed(states), strict=True))
    cubes = cube_of(rows), cube_of([row._replace(location=turned.get(row.location, row.location)) for row in rows])
    ranked = sorted({(row.question, row.year) for row in rows})
    for question, year in ranked:
        for end in ("highest", "lowest"):
            request = {"question": question, "years": [year], "end": end}
            before, after = (
                {
                    (str(one["location"]), one["among_k"], one["differs_from_k"])
                    for one in records_in("ranking", cube, request)
                }
                for cube in cubes
            )
            assert {(turned[name], *rest) for name, *rest in before} == after
    assert len(ranked) == 69


def test_whoever_may_be_among_the_first_is_listed() -> None:
    for question, end in (("Q036", "highest"), ("Q036", "lowest"), ("Q046", "lowest")):
        everybody = records("ranking", question=question, years=[2023], end=end, k=100)
        reaching = {one["location"] for one in everybody if isinstance(one["rank_low"], int) and one["rank_low"] <= 5}
        listed = {one["location"] for one in records("ranking", question=question, years=[2023], end=end, k=5)}
        assert reaching <= listed


# ---- several tests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["linear", "logit"])
@pytest.mark.parametrize(("adjust", "count"), [("none", 37), ("bh", 35), ("holm", 29)])
def test_obesity_2023_differs_from_the_nation_in_so_many_states(scale: str, adjust: str, count: int) -> None:
    found = records("difference", years=[2023], scale=scale, adjust=adjust)
    verdicts = Counter(one["verdict"] for one in found)
    assert (verdicts["better"] + verdicts["worse"], 51 - verdicts[None]) == (count, 49)


def test_bonferroni_would_leave_fewer_than_holm() -> None:
    p_values = [one["p_value"] for one in records("difference", years=[2023])]
    assert sum(isinstance(p, float) and p * 49 <= 0.05 for p in p_values) == 26


def test_the_verdict_says_which_p_it_goes_by() -> None:
    request = {"question": "Q036", "years": [2023]}
    methods = {
        adjust: str(ask("difference", bundled_cube(), request | {"adjust": adjust})["method"]) for adjust in WORDS
    }
    assert all(words in methods[adjust] for adjust, words in WORDS.items())
    assert any("37 of 49 intervals exclude 0, 35 of them" in caution for caution in cautions("difference", **request))


WORDS = {"none": "p as it is", "holm": "adjusted by Holm", "bh": "adjusted by Benjamini and Hochberg"}


def test_similar_is_earned_by_a_margin() -> None:
    found = {one["location"]: one for one in records("difference", years=[2023], margin=3, adjust="none")}
    for one in found.values():
        gap, error = one["difference"], one["difference_standard_error"]
        if isinstance(gap, float) and isinstance(error, float):
            is_alike = math.erfc((3 - abs(gap)) / error / math.sqrt(2)) / 2 <= 0.05
            assert (one["verdict"] == "similar") == is_alike
    counts = Counter(one["verdict"] for one in found.values())
    assert counts["similar"] > 0 < counts[UNCLEAR]


@pytest.mark.parametrize("margin", [0, 100])
def test_a_margin_that_is_no_small_difference_is_refused(margin: float) -> None:
    with pytest.raises(InvalidParameterError, match="margin"):
        records("difference", years=[2023], margin=margin)


def test_all_pairs_of_years_are_compared_alike_from_both_ends() -> None:
    for first, second in combinations((2019, 2021, 2023), 2):
        forth, back = (
            record("compare", locations=["Ohio"], years=[one], against_year=other)
            for one, other in ((first, second), (second, first))
        )
        assert forth["difference"] == pytest.approx(-float(str(back["difference"])))
