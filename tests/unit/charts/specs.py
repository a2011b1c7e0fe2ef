"""How tests read a spec: whether it is Vega-Lite, whether Vega-Lite can draw it, and what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from urllib.parse import quote

import jsonschema_rs
import orjson
import vl_convert

from meantime.charts.themes import Spec

VEGA_LITE = "6.4"
"""The version that draws the pictures; the vendored one is of the same minor."""


@cache
def _validator() -> jsonschema_rs.Validator:
    # Altair carries Vega-Lite's own schema. Its references hold letters that no address may have.
    text = files("altair").joinpath("vegalite/v6/schema/vega-lite-schema.json").read_text("utf-8")
    return jsonschema_rs.validator_for(json.dumps(_with_addresses(json.loads(text))))


def _with_addresses(part: object) -> object:
    if isinstance(part, dict):
        return {
            name: quote(value, safe="#/") if name == "$ref" and isinstance(value, str) else _with_addresses(value)
            for name, value in part.items()
        }
    return [_with_addresses(each) for each in part] if isinstance(part, list) else part


def is_valid(spec: Spec) -> bool:
    """Whether a spec is Vega-Lite by its schema."""
    return bool(_validator().is_valid(spec))


def svg_of(spec: Spec) -> str:
    """Return a spec as Vega draws it; raises where it can't."""
    return str(vl_convert.vegalite_to_svg(orjson.dumps(spec).decode(), vl_version=VEGA_LITE))


def compiled(spec: Spec) -> dict[str, object]:
    """Return the Vega spec of a Vega-Lite spec; raises where there is none."""
    found: dict[str, object] = vl_convert.vegalite_to_vega(orjson.dumps(spec).decode(), vl_version=VEGA_LITE)
    return found


def rows_of(spec: Spec, name: str = "records") -> list[dict[str, object]]:
    """Return the rows of a spec's dataset."""
    datasets = spec["datasets"]
    assert isinstance(datasets, dict)
    rows: list[dict[str, object]] = datasets[name]
    return rows


def parts_of(part: object) -> Iterator[dict[str, object]]:
    """Yield every mapping of a spec but the rows of its data."""
    if isinstance(part, dict):
        yield part
        for name, value in part.items():
            if name not in {"datasets", "values"}:
                yield from parts_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from parts_of(value)


def values_of(spec: Spec, name: str) -> list[object]:
    """Return what stands under a name, anywhere in a spec."""
    return [part[name] for part in parts_of(spec) if name in part]
