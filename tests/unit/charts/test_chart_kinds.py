"""Each kind of chart on real results: it is Vega-Lite, it can be drawn, and its numbers are the result's."""

from __future__ import annotations

import copy
from functools import cache

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.charts import KINDS, chart_of, kinds_for
from meantime.charts.chart_kinds import KINDS_OF
from meantime.charts.themes import DARK, LIGHT, Spec
from meantime.errors import InvalidParameterError
from meantime.statistics.catalogue import statistics_of
from meantime.statistics.estimation.comparisons.verdicts import MEANINGS
from meantime.statistics.result import encode_answer
from meantime.statistics.statistic import Surface
from tests.unit.charts.documents import ASKED, Record, asked, difference, kind_records, made_up, record
from tests.unit.charts.specs import compiled, is_valid, parts_of, rows_of, svg_of, values_of

pytestmark = pytest.mark.slow  # reads the whole table, and starts the engine that draws

NAMES = tuple(ASKED)
EXPRESSIONS = {
    "datum.rank_low - 0.4",
    "datum.rank_high + 0.4",
    "split(datum.label, '\\n')",
}
"""All that a chart asks Vega to evaluate: nothing that a table holds is ever part of it."""


@cache
def drawn(name: str, theme: str = "light") -> Spec:
    statistic, document = asked(name)
    return chart_of(document, statistic, name.partition(" ")[0], theme=theme)


def made(kind: str, names: list[str], values: list[float | None]) -> Spec:
    statistic = next(statistic for statistic, kinds in KINDS_OF.items() if kind in kinds)
    return chart_of(made_up(kind_records(kind, names, values), against="National"), statistic, kind)


# ---- what is drawn is what was computed -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chart_of_a_real_result_is_vega_lite_and_can_be_drawn(name: str, theme: str) -> None:
    spec = drawn(name, theme)
    assert is_valid(spec)
    assert compiled(spec)


@pytest.mark.parametrize("name", [name for name in NAMES if asked(name)[0] not in {"trend", "profile"}])
def test_every_record_is_in_the_chart_with_its_own_numbers(name: str) -> None:
    records = asked(name)[1]["records"]
    assert isinstance(records, list)
    rows = rows_of(drawn(name))
    kept = [{field: row.get(field) for field in records[0]} for row in rows if not row.get("is_mirrored")]
    order = sorted(range(len(records)), key=lambda i: repr(records[i]))
    assert sorted(map(repr, kept)) == [repr(records[i]) for i in order]


def test_a_trend_shows_the_estimates_that_its_explanation_has() -> None:
    explanation = asked("trend")[1]["explanation"]
    assert isinstance(explanation, dict)
    shown = {(row["series"], row["year"]): row["value"] for row in rows_of(drawn("trend"))}
    assert {key: value for key, value in shown.items() if value is not None} == {
        (row["location"], row["year"]): row["value"] for row in explanation["rows"]
    }
    assert [key for key, value in shown.items() if value is None] == [("Florida", 2021)]


def test_a_trend_without_its_points_shows_its_ends_and_says_so() -> None:
    spec = drawn("trend without its points")
    records = asked("trend without its points")[1]["records"]
    assert isinstance(records, list)
    ends = [(each["first_value"], each["last_value"]) for each in records]
    shown = [row["value"] for row in rows_of(spec)]
    assert sorted(zip(shown[::2], shown[1::2], strict=True)) == sorted(ends)
    assert "only the first and the last year" in str(spec["description"])


def test_values_by_year_are_the_records_and_the_years_that_a_series_lacks() -> None:
    records = asked("trend of values")[1]["records"]
    assert isinstance(records, list)
    shown = {(row["series"], row["year"]): row["value"] for row in rows_of(drawn("trend of values"))}
    given = {(each["location"], each["year"]): each["value"] for each in records}
    assert {key: shown[key] for key in given} == given
    assert {shown[key] for key in shown.keys() - given.keys()} <= {None}


def test_each_pair_is_shown_from_both_sides() -> None:
    rows = rows_of(drawn("pairs"))
    seen = {(row["location"], row["against"]): row for row in rows}
    turned = {"better": "worse", "worse": "better"}
    for (own, other), row in seen.items():
        back = seen[str(other), str(own)]
        assert back["difference"] == -row["difference"]  # type: ignore[operator]  # a number
        assert back["verdict"] == turned.get(str(row["verdict"]), row["verdict"])
        assert (back["value"], back["reference"]) == (row["reference"], row["value"])


def test_a_spine_is_turned_so_that_right_is_better() -> None:
    for name in ("spine", "spine_se"):
        for row in rows_of(drawn(name)):
            shown = row["shown"]
            assert isinstance(shown, float)
            if row["verdict"] in {"better", "worse"}:
                assert (shown > 0) == (row["verdict"] == "better")
            assert row["shown_low"] <= shown <= row["shown_high"]  # type: ignore[operator]  # numbers
    errors = {row["question"]: row for row in rows_of(drawn("spine_se"))}
    for row in rows_of(drawn("spine")):
        size = row["shown"] / row["difference_standard_error"]  # type: ignore[operator]  # numbers
        assert errors[row["question"]]["shown"] == pytest.approx(size)


@pytest.mark.parametrize(("name", "part"), [("spine of a profile", "now"), ("courses", "year")])
def test_a_chart_of_a_profile_shows_one_part_with_its_own_numbers(name: str, part: str) -> None:
    records = asked(name)[1]["records"]
    assert isinstance(records, list)
    own = [each for each in records if each["part"] == part]
    kept = [{field: row.get(field) for field in own[0]} for row in rows_of(drawn(name))]
    assert sorted(map(repr, kept)) == sorted(map(repr, own))


def test_a_profile_without_a_reference_has_no_spine() -> None:
    statistic, document = asked("courses of the nation")
    assert kinds_for(document, statistic) == ("courses",)


def test_questions_of_several_units_are_a_spine_in_standard_errors_alone() -> None:
    records = [
        {"unit": unit, **each}
        for unit, each in zip(("percent", "per 1,000"), kind_records("spine", ["A", "B"], [1.0, 2.0]), strict=True)
    ]
    assert kinds_for(made_up(records), "profile") == ("spine_se",)


def test_a_rug_has_a_column_for_each_question_however_alike_their_texts() -> None:
    rows = rows_of(drawn("rug"))
    assert len({row["column"] for row in rows}) == len({row["question"] for row in rows}) == 9


@pytest.mark.parametrize("kind", ["rug", "spine"])
def test_questions_that_differ_in_their_middle_alone_keep_a_place_each(kind: str) -> None:
    questions = [f"Percent {'of those who answered ' * 9}{word}{' and who did so again' * 9}" for word in ("A", "B")]
    questions.append("Something else")
    places = ["Ohio", "Utah"] if kind == "rug" else ["Ohio"]
    records = [{"question": text, **difference(name, direction=None)} for text in questions for name in places]
    rows = rows_of(chart_of(made_up(records), "difference", kind))
    assert len({row["column" if kind == "rug" else "row"] for row in rows}) == 3


def test_a_funnels_limits_are_those_of_the_normal_distribution_about_the_nation() -> None:
    spec = drawn("funnel")
    lines = [part["values"] for part in parts_of(spec) if isinstance(part.get("values"), list)]
    ends = [line[1] for line in lines if isinstance(line, list) and len(line) == 2 and isinstance(line[1], dict)]
    distances = sorted({round(abs(end["value"] - 32.8) / end["standard_error"], 3) for end in ends})
    assert distances == [1.96, 3.09]


# ---- what isn't there ---------------------------------------------------------------------------------------------


def test_a_place_without_an_estimate_is_hatched_on_the_map_and_no_other() -> None:
    svg = svg_of(drawn("map"))
    assert svg.count("url(#") == 2  # Kentucky and Pennsylvania weren't in the survey of 2023
    assert "aria-label" in svg


def test_a_state_that_pairs_leave_out_for_want_of_an_estimate_is_hatched_too() -> None:
    spec = drawn("map of pairs")
    assert svg_of(spec).count("url(#") == 2
    assert "No estimate: Kentucky, Pennsylvania." in str(spec["description"])


def test_a_matrix_of_pairs_names_who_is_not_in_it() -> None:
    document = made_up([difference("Ohio", against="Utah")], locations=["Ohio", "Utah", "Guam"])
    assert "Not in it, for want of an estimate: Guam." in str(
        chart_of(two(document), "pairwise", "pairs")["description"]
    )


def two(document: dict[str, object]) -> dict[str, object]:
    """Return a result of pairs of several locations."""
    return document | {"records": [difference("Ohio", against="Utah"), difference("Utah", against="Ohio")]}


def test_a_map_of_a_ranking_says_what_is_pale() -> None:
    statistic, document = asked("ranks")
    assert "Pale: not in this answer (beyond the ranks that were asked for, or without an estimate)" in str(
        chart_of(document, statistic, "map")["description"]
    )


def test_no_chart_speaks_of_intervals_that_it_has_not() -> None:
    statistic, document = "coverage", made_up([record("", year=year, low=None, high=None) for year in (2021, 2022)])
    assert "intervals" not in str(chart_of(document, statistic, "trend")["description"])
    assert "intervals" not in str(chart_of(document, statistic, "bars")["description"]).replace("with intervals", "")


def test_what_has_no_estimate_has_a_row_that_says_so() -> None:
    for name in ("bars", "bars of values", "gaps"):
        assert svg_of(drawn(name)).count("\u00d7 no estimate") == 2


def test_an_empty_cell_of_a_heat_map_or_rug_is_hatched() -> None:
    for name, field in (("heat", "value"), ("rug", "verdict")):
        missing = sum(row[field] is None for row in rows_of(drawn(name)))
        assert missing > 0
        legend = svg_of(drawn(name)).count("role-legend-gradient")
        assert svg_of(drawn(name)).count("url(#") == missing + legend


def test_a_funnel_names_what_it_cannot_place() -> None:
    assert "Not drawn, since without a value or a standard error: Kentucky, Pennsylvania" in str(
        drawn("funnel")["description"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_value_at_all_is_a_chart_too(kind: str) -> None:
    spec = made(kind, ["Ohio", "Utah", "Iowa"], [None, None, None]) if kind not in {"funnel", "spread"} else None
    if spec is not None:
        assert is_valid(spec)
        assert svg_of(spec)


# ---- names and sizes ----------------------------------------------------------------------------------------------

STRANGE = [
    "x" * 300,
    "\u0627\u0644\u0648\u0644\u0627\u064a\u0627\u062a \u0627\u0644\u0645\u062a\u062d\u062f\u0629",
    "\u6771\u4eac\u90fd\u306e\u3068\u3066\u3082\u9577\u3044\u540d\u524d",
    "datum.value > 0 ? 'a' : \"b\"",
    "</script><script>alert(1)</script>",
    "a\nb\\n",
    "Ohio",
    "Utah",
    "Iowa",
    "Ohio.[0]",
]


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_any_script_and_length_are_drawn_and_never_evaluated(kind: str) -> None:
    names = (
        STRANGE if kind not in {"map", "strata"} else [*STRANGE[:5], "Ohio", "Utah", "Iowa", "Maine", "Texas", "Idaho"]
    )
    spec = made(kind, names, [30.0 + i for i in range(len(names) - 1)] + [None])
    assert is_valid(spec)
    assert svg_of(spec)
    evaluated = {text for name in ("calculate", "labelExpr", "expr", "signal", "filter") for text in _texts(spec, name)}
    assert evaluated <= EXPRESSIONS


def _texts(spec: Spec, name: str) -> list[str]:
    return [value for value in values_of(spec, name) if isinstance(value, str)]


@pytest.mark.parametrize("kind", KINDS)
@given(values=st.lists(st.none() | st.floats(-1e9, 1e9), min_size=3, max_size=6))
def test_values_of_any_size_with_gaps_anywhere_give_a_spec_that_json_holds(
    kind: str, values: list[float | None]
) -> None:
    names = ["Ohio", "Utah", "Iowa", "Maine", "Texas", "Idaho"][: len(values)]
    statistic = next(statistic for statistic, kinds in KINDS_OF.items() if kind in kinds)
    document = made_up(kind_records(kind, names, values), against="National")
    if kind not in kinds_for(document, statistic):
        assert kind in {"funnel", "spread"}  # which need some values
        return
    spec = chart_of(document, statistic, kind)
    assert is_valid(spec)
    assert orjson.loads(encode_answer(spec)) == spec
    assert len(rows_of(spec)) >= len(values)


@pytest.mark.parametrize("kind", KINDS)
def test_one_record_is_a_chart(kind: str) -> None:
    if kind == "funnel":
        return  # needs three
    names = ["Ohio"] if kind not in {"strata", "heat", "rug"} else ["Ohio", "Utah"]
    spec = made(kind, names, [30.0] * len(names))
    assert is_valid(spec)
    assert svg_of(spec)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].most >= 1000 and kind not in {"map", "pairs"}])
def test_a_thousand_records_are_a_chart_that_fits_a_page(kind: str) -> None:
    names = [f"County {i}" for i in range(1000)]
    spec = made(kind, names, [20.0 + i % 37 if i % 50 else None for i in range(1000)])
    assert is_valid(spec)
    vega = compiled(spec)
    assert vega
    for step in values_of(spec, "step"):
        assert isinstance(step, int | float)
        assert step * 1000 <= 60_000
    assert len(rows_of(spec)) >= 1000


def test_more_records_than_anybody_could_read_are_no_chart() -> None:
    document = made_up(kind_records("spine", [f"Q{i}" for i in range(201)], [30.0] * 201), against="National")
    assert kinds_for(document, "difference") == ("bars", "funnel")
    with pytest.raises(InvalidParameterError, match="and at most 200 records"):
        chart_of(document, "difference", "spine")
    assert kinds_for(made_up([record(f"C{i}") for i in range(2001)]), "mean") == ()


def test_series_too_many_for_a_panel_each_are_lines_that_say_how_often_they_stop() -> None:
    names = [f"County {i}" for i in range(300)]
    spec = made("trend", names, [30.0 if i % 100 else None for i in range(300)])
    assert "300 series, too many to tell apart; a line stops where there is no estimate, 9 times" in str(
        spec["description"]
    )


def test_a_map_with_places_that_are_no_states_has_tiles_for_all_of_them() -> None:
    spec = drawn("map by value")
    svg = svg_of(spec)
    for name in ("Guam", "Puerto Rico", "Virgin Islands", "National", "District of Columbia"):
        assert f">{name}<" in svg


def test_what_states_are_compared_with_has_a_tile_on_the_map() -> None:
    assert ">National<" in svg_of(drawn("map"))


def test_places_of_other_countries_have_no_map() -> None:
    document = made_up([record(name) for name in ("Georgia", "Armenia", "Turkey", "Jordan")])
    assert kinds_for(document, "mean") == ("bars", "funnel")


# ---- what is around it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_says_what_it_is_in_what_unit_from_where_and_with_which_cautions(name: str) -> None:
    spec = drawn(name)
    document = asked(name)[1]
    title, description = spec["title"], str(spec["description"])
    assert isinstance(title, dict)
    assert "".join(title["text"])
    assert "202" in " ".join(title["subtitle"])
    assert "export of 2025-09-06" in description
    cautions = document["cautions"]
    assert isinstance(cautions, list)
    assert all(caution in description for caution in cautions)
    below = " ".join(str(line) for part in values_of(spec, "title") for line in _lines(part))
    assert "Source: CDC. A survey (hn4x-zwk7), export of 2025-09-06" in below
    if cautions:
        assert str(cautions[0])[:40] in below


def _lines(title: object) -> list[object]:
    text = title.get("text") if isinstance(title, dict) else None
    return text if isinstance(text, list) else []


def test_the_text_for_those_who_do_not_see_it_counts_the_verdicts() -> None:
    records = asked("map")[1]["records"]
    assert isinstance(records, list)
    worse = sum(each["verdict"] == "worse" for each in records)
    assert f"worse: {worse} (" in str(drawn("map")["description"])
    assert "not tested: 2 (Kentucky, Pennsylvania)" in str(drawn("map")["description"])


def test_verdicts_have_the_colours_of_the_one_table_in_both_themes() -> None:
    for theme in ("light", "dark"):
        table = {
            each.verdict.value: each.colour if theme == "light" else each.dark_colour
            for each in MEANINGS
            if each.verdict is not None
        }
        for name in ("map", "bars", "pairs", "rug", "spine", "funnel"):
            scales = [
                each
                for each in values_of(drawn(name, theme), "scale")
                if isinstance(each, dict) and set(each.get("domain", ())) & set(table) and "range" in each
            ]
            assert scales
            for scale in scales:
                assert dict(zip(scale["domain"], scale["range"], strict=True)).items() <= table.items()


def test_the_dark_theme_uses_none_of_the_light_ones_inks() -> None:
    for name in NAMES:
        text = repr({key: value for key, value in drawn(name, "dark").items() if key != "datasets"})
        assert DARK.background in text
        assert LIGHT.ink not in text
        assert LIGHT.muted not in text


def test_what_is_to_be_used_with_caution_has_a_sign_and_the_sign_a_meaning() -> None:
    document = made_up([record("Ohio"), record("Guam", reliability="caution"), record("Utah")])
    spec = chart_of(document, "mean", "bars")
    assert [row["label"] for row in rows_of(spec)] == ["Ohio", "Guam *", "Utah"]
    assert "*: use with caution" in str(spec["description"])


def test_no_line_crosses_a_break_and_the_break_is_named() -> None:
    records = [record("Ohio", 30.0 + year % 7, year=year) for year in range(2015, 2022)]
    spec = chart_of(made_up(records, years=list(range(2015, 2022))), "mean", "trend", breaks=[2018])
    stretches = {row["year"]: row["stretch"] for row in rows_of(spec)}
    assert stretches[2017] != stretches[2018] == stretches[2021]
    assert ">break 2018<" in svg_of(spec)


def test_what_sets_a_trends_stretches_apart_is_shown_as_a_break() -> None:
    ends = [("Ohio", 2011, 2015), ("Ohio", 2017, 2021)]
    records = [
        record(name, 0.1, first_year=first, last_year=last, first_value=30.0, last_value=31.0, verdict="rising")
        for name, first, last in ends
    ]
    assert ">break 2017<" in svg_of(chart_of(made_up(records, years=[2011, 2015, 2017, 2021]), "trend", "trend"))


# ---- which kind ---------------------------------------------------------------------------------------------------


def test_every_statistic_of_v1_has_its_kinds_and_every_kind_a_statistic() -> None:
    names = {statistic.name for statistic in statistics_of(Surface.V1)}
    assert names <= set(KINDS_OF)
    assert {kind for kinds in KINDS_OF.values() for kind in kinds} == set(KINDS)
    assert {name.partition(" ")[0] for name in NAMES} == set(KINDS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("map", "map"), ("ranks", "ranks"), ("pairs", "pairs"), ("trend", "trend"), ("gaps", "gaps"), ("strata", "strata"),
     ("heat", "heat"), ("spine", "spine"), ("rug", "rug"), ("bars of a correlation", "bars")],
)  # fmt: skip
def test_the_default_is_the_first_kind_that_fits(name: str, kind: str) -> None:
    statistic, document = asked(name)
    assert kinds_for(document, statistic)[0] == kind
    assert chart_of(document, statistic) == chart_of(document, statistic, kind)


def test_a_kind_that_does_not_fit_is_refused_with_those_that_do() -> None:
    document = made_up([record("Ohio"), record("Utah")])
    with pytest.raises(
        InvalidParameterError, match=r"^chart: ranks needs ranks, .*; choose one of map, bars$"
    ) as caught:
        chart_of(document, "mean", "ranks")
    assert (caught.value.field, caught.value.accepted) == ("chart", ("map", "bars"))
    with pytest.raises(InvalidParameterError, match="there is no chart 'pie'"):
        chart_of(document, "mean", "pie")
    with pytest.raises(InvalidParameterError, match="there is no chart of this result"):
        chart_of(made_up([]), "mean")
    with pytest.raises(InvalidParameterError, match="there is no theme 'pink'"):
        chart_of(document, "mean", theme="pink")


def test_a_browser_may_get_the_shapes_from_elsewhere() -> None:
    statistic, document = asked("map")
    spec = chart_of(document, statistic, "map", shapes_url="/static/shapes.json")
    assert is_valid(spec)
    assert set(values_of(spec, "url")) == {"/static/shapes.json"}
    assert list(spec["datasets"]) == ["records"]  # type: ignore[call-overload]  # a mapping
    assert "us-states" not in values_of(spec, "name")
    assert chart_of(document, statistic, "map") == drawn("map")  # the shapes are still there for others


def test_a_result_is_left_as_it_was_and_drawn_twice_alike() -> None:
    for name in ("map", "pairs", "trend", "rug"):
        statistic, document = asked(name)
        before = copy.deepcopy(document)
        assert chart_of(document, statistic) == chart_of(document, statistic)
        assert document == before


def test_unknown_directions_get_neutral_words_and_colours() -> None:
    records: list[Record] = [difference(name, verdict="higher") for name in ("Ohio", "Utah", "Iowa")]
    spec = chart_of(made_up(records, against="National"), "difference", "map")
    assert not {"better", "worse"} & set(str(spec["description"]).replace(":", " ").split())
