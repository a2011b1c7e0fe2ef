"""Whether an answer agrees with what a reference expects: same fields, same types, numbers within a tolerance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence


def disagreement(actual: object, expected: object, *, tolerance: float = 1e-9, path: str = "answer") -> str | None:
    """Return where and how two JSON-able values disagree, or None.

    Integers and floats are different types. Numbers agree within ``tolerance`` times the larger of 1 and their size.
    """
    if isinstance(expected, Mapping):
        return _mappings(actual, expected, tolerance, path)
    if isinstance(expected, Sequence) and not isinstance(expected, str):
        return _sequences(actual, expected, tolerance, path)
    if type(actual) is not type(expected):
        return f"{path}: {actual!r} is {type(actual).__name__}, not {expected!r}"
    if isinstance(actual, float) and isinstance(expected, float):
        agrees = math.isclose(actual, expected, rel_tol=tolerance, abs_tol=tolerance)
    else:
        agrees = actual == expected
    return None if agrees else f"{path}: {actual!r}, not {expected!r}"


def _mappings(actual: object, expected: Mapping[str, object], tolerance: float, path: str) -> str | None:
    if not isinstance(actual, Mapping) or set(actual) != set(expected):
        keys = sorted(map(str, set(actual) ^ set(expected))) if isinstance(actual, Mapping) else type(actual)
        return f"{path}: keys differ: {keys}"
    return _first(
        disagreement(actual[key], expected[key], tolerance=tolerance, path=f"{path}.{key}") for key in expected
    )


def _sequences(actual: object, expected: Sequence[object], tolerance: float, path: str) -> str | None:
    if not isinstance(actual, Sequence) or len(actual) != len(expected):
        return f"{path}: {len(actual) if isinstance(actual, Sequence) else actual!r} items, not {len(expected)}"
    return _first(
        disagreement(own, other, tolerance=tolerance, path=f"{path}[{place}]")
        for place, (own, other) in enumerate(zip(actual, expected, strict=True))
    )


def _first(found: Iterable[str | None]) -> str | None:
    return next((text for text in found if text is not None), None)


def with_whole_sizes(record: Mapping[str, object]) -> dict[str, object]:
    """Return a reference's record with sample sizes as a server writes them: whole numbers as integers."""
    return {
        name: int(value) if name.endswith("sample_size") and isinstance(value, float) and value.is_integer() else value
        for name, value in record.items()
    }
