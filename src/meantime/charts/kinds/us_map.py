"""A map of the United States: Alaska and Hawaii in their place, all else that an answer has as tiles below.

The projection has no place for territories and drops them without a word, so they are tiles, as the nation is. What an
answer isn't about is pale; what it is about, but without an estimate, is hatched.
"""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, listed, number
from meantime.charts.frame import RECORDS, Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import Spec, Theme, hatching
from meantime.charts.us_places import ATLAS_FEATURE, asked_in_vain, fips_of, us_shapes

SHAPES = "us-states"
"""The name of the dataset with the shapes."""

WIDTH, HEIGHT = 620, 380
_TILE_PX, _TILES_A_ROW = 104, 6
_OFF_THE_MAP = {None, "11"}  # the District of Columbia has a shape, but too small to be seen


def us_map(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one value or verdict for each place."""
    by_verdict = marks.drawn_by_verdict(answer)
    rows = [{**row, "fips": fips_of(row["location"])} for row in answer.rows()]
    vain = asked_in_vain(answer) if answer.statistic == "pairwise" else []
    without: list[Row] = [{"location": name, "fips": code} for name in vain if (code := fips_of(name)) is not None]
    tiles = [row for row in rows if row["fips"] in _OFF_THE_MAP] + _reference_tiles(answer)
    for place, row in enumerate(tiles):
        row |= {"tile_row": place // _TILES_A_ROW, "tile": place % _TILES_A_ROW}
    field = "verdict" if by_verdict else "value"
    colour = marks.verdict_colour(rows, theme) if by_verdict else marks.value_colour(rows, theme, answer.unit)
    return Drawing(
        body={
            "spacing": 8,
            "vconcat": [
                _map(rows, without, field, colour, theme),
                *([_tiles(tiles, field, colour, theme)] if tiles else []),
            ],
        },
        rows=rows,
        shown=_shown(answer, by_verdict=by_verdict),
        reading=f"{wording.BY_VERDICT if by_verdict else wording.NO_TEST_BY_EYE} {wording.HATCHED} {_pale(answer)}",
        summary=_summary(answer, rows, without, by_verdict=by_verdict),
        width=WIDTH,
        datasets={SHAPES: us_shapes()},
    )


def _pale(answer: ChartedAnswer) -> str:
    """Return what a pale state is: a ranking leaves out two kinds of them."""
    beyond = " (beyond the ranks that were asked for, or without an estimate)" if answer.has("rank") else ""
    return f"Pale: not in this answer{beyond}."


def _shown(answer: ChartedAnswer, *, by_verdict: bool) -> str:
    if not by_verdict:
        return "Map by value"
    named = answer.reference
    if named is None:
        return f"Map by verdict against {answer.against}" if answer.against else "Map by verdict"
    return f"Map by verdict against {named[0]} ({wording.in_unit(named[1], answer.unit)})"


def _summary(answer: ChartedAnswer, rows: list[Row], without: list[Row], *, by_verdict: bool) -> str:
    absent = f"No estimate: {listed([str(row['location']) for row in without])}." if without else ""
    found = [wording.verdict_words(rows) if by_verdict else "", wording.extremes(rows, answer.unit), absent]
    return " ".join(part for part in found if part)


def _reference_tiles(answer: ChartedAnswer) -> list[Row]:
    """Return a tile for what all are compared with, if it is a place that has none."""
    reference = answer.reference
    if reference is None or not answer.has("reference") or fips_of(reference[0]) is not None:
        return []
    return [{"location": reference[0], "label": reference[0], "value": reference[1], "is_reference": True}]


def _map(rows: list[Row], without: list[Row], field: str, colour: Spec, theme: Theme) -> Spec:
    line = {"stroke": theme.background, "strokeWidth": 0.8}
    shapes = {"format": {"type": "topojson", "feature": ATLAS_FEATURE}, "name": SHAPES}
    joined: Spec = {"lookup": "fips", "from": {"data": shapes, "key": "id"}, "as": "shape"}
    on_map: Spec = {"filter": {"field": "fips", "valid": True}}
    shape = {"field": "shape", "type": "geojson"}
    tooltip = marks.tooltip(rows)
    test = marks.HAS_VERDICT if field == "verdict" else marks.HAS_VALUE
    known: Spec = {"filter": test}
    unknown: Spec = {"filter": {"not": test}}
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "projection": {"type": "albersUsa"},
        "layer": [
            {"data": shapes, "mark": {"type": "geoshape", "fill": theme.blank, **line}},
            {
                "data": {"name": RECORDS},
                "transform": [on_map, unknown, joined],
                "mark": {"type": "geoshape", "fill": hatching(theme), "stroke": theme.hatch, "strokeWidth": 0.8},
                "encoding": {"shape": shape, "tooltip": tooltip},
            },
            {
                "data": {"values": without},
                "transform": [joined],
                "mark": {"type": "geoshape", "fill": hatching(theme), "stroke": theme.hatch, "strokeWidth": 0.8},
                "encoding": {"shape": shape, "tooltip": {"field": "location"}},
            },
            {
                "data": {"name": RECORDS},
                "transform": [on_map, known, joined],
                "mark": {"type": "geoshape", **line},
                "encoding": {"shape": shape, "color": colour, "tooltip": tooltip},
            },
        ],
    }


def _tiles(tiles: list[Row], field: str, colour: Spec, theme: Theme) -> Spec:
    at: Spec = {
        "x": {"field": "tile", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0.06}},
        "y": {"field": "tile_row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0.12}},
    }
    known = [row for row in tiles if row.get(field) is not None and not row.get("is_reference")]
    unknown = [row for row in tiles if row.get(field) is None and not row.get("is_reference")]
    plain = [row for row in tiles if row.get("is_reference")]
    name: Spec = {"type": "text", "fontSize": 10, "limit": _TILE_PX - 6, "color": theme.ink}
    layers: list[Spec] = []
    for some, mark, encoding in (
        (known, {"type": "rect", "height": {"band": 0.3}, "yOffset": 12}, {"color": colour}),
        (unknown, {"type": "rect", "height": {"band": 0.3}, "yOffset": 12, "fill": hatching(theme)}, {}),
        (plain, {"type": "rect", "height": {"band": 0.3}, "yOffset": 12, "fill": theme.blank}, {}),
    ):
        if some:
            layers.append(
                {
                    "data": {"values": some},
                    "mark": {**mark, "stroke": theme.hatch, "strokeWidth": 0.6},
                    "encoding": {**at, **encoding, "tooltip": marks.tooltip(some)},
                }
            )
    texts = [{**row, "said": _said(row)} for row in tiles]
    layers.append(
        {"data": {"values": texts}, "mark": {**name, "dy": -14}, "encoding": {**at, "text": {"field": "label"}}}
    )
    layers.append(
        {"data": {"values": texts}, "mark": {**name, "dy": -1}, "encoding": {**at, "text": {"field": "said"}}}
    )
    return {
        "width": {"step": _TILE_PX},
        "height": {"step": 52},
        "layer": layers,
    }


def _said(row: Row) -> str:
    value = number(row.get("value"))
    return "no estimate" if value is None else wording.in_unit(value, "")
