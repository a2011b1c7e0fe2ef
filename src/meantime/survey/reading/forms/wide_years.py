"""Years as columns: which headers are years, by a stated pattern such as ``Y{year}``, or by their looks.

What becomes of these columns is decided in ``table_rows.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

YEAR_OF_COLUMN, VALUE_OF_COLUMN = "a year in the header", "a value below a year"
"""What the two columns are called that a wide table gets, in its header's end."""

_YEAR = "(?:1[0-9]|20)[0-9]{2}"
_SPAN = rf"{_YEAR}(?:[-/\u2013](?:[0-9]{{2}}|{_YEAR}))?"


def year_columns(header: Sequence[str], pattern: str) -> dict[int, str]:
    """Return the positions of the columns whose names are years, with the years as written.

    >>> year_columns(["State", "Y2018", "Y2019 "], "Y{year}")
    {1: '2018', 2: '2019'}
    """
    first, *others = (re.escape(piece) for piece in pattern.strip().split("{year}"))
    expression = first + f"(?P<year>{_SPAN})" + "(?P=year)".join(others)
    found = ((position, re.fullmatch(expression, name.strip())) for position, name in enumerate(header))
    return {position: match["year"] for position, match in found if match}


def likely_pattern(header: Sequence[str]) -> str:
    """Return the pattern that two headers and more have in common, and that says they are years; else nothing.

    >>> likely_pattern(["Country", "2018 [YR2018]", "2019 [YR2019]"])
    '{year} [YR{year}]'
    """
    patterns = [_pattern(name.strip()) for name in header]
    common = [pattern for pattern in patterns if pattern and patterns.count(pattern) > 1]
    return max(common, key=common.count, default="")


def _pattern(name: str) -> str:
    years = set(re.findall(rf"(?<![0-9]){_SPAN}(?![0-9])", name))
    return name.replace(years.pop(), "{year}") if len(years) == 1 and "{" not in name else ""
