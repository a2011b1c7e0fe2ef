"""A result as CSV (RFC 4180): the records, and beside each its question, unit, method and source.

A file goes from hand to hand without the rest of its answer, so every row carries these, as rows of CDC's tables do.
No cell is a formula to a spreadsheet, whatever character it takes for the end of a cell.
"""

from __future__ import annotations

import csv
import io
import re
import string
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

from meantime.formats import Answer, Record, records_of

BYTE_ORDER_MARK = "\ufeff"
END_OF_ROW = "\r\n"

_FORMULA_STARTS = "=+-@"
_ENDS_OF_CELLS = ";\t\r\n|"
_AROUND = f'"{string.whitespace}\u00a0\u3000'
_PART = re.compile(rf"([^{_ENDS_OF_CELLS}]*)([{_ENDS_OF_CELLS}]?)")


def encode_csv(answer: Answer) -> bytes:
    """Return the records of a result as CSV, which a spreadsheet can open without harm.

    After the fields of the records come ``question`` and ``years``, unless the records have them, ``unit``, ``method``
    and ``citation``, as far as the result has them. A text that a spreadsheet would take for a formula gets an
    apostrophe in front. None is an empty cell. Where any text is not ASCII the file begins with a byte order mark, by
    which a spreadsheet knows UTF-8.
    """
    records = records_of(answer)
    if not records:
        return b""
    context = context_of(answer, records[0])
    rows = _Rows(list(context))
    csv.writer(rows).writerow(map(safe_cell, records[0]))
    rows.end_with([safe_cell(text) for text in context.values()])
    csv.writer(rows).writerows(map(safe_cell, record.values()) for record in records)
    content = "".join(rows.texts)
    return (content if content.isascii() else BYTE_ORDER_MARK + content).encode()


class _Rows:
    """The rows of a file, each with the same last cells, which are written out once and not for each row."""

    def __init__(self, last_cells: list[object]) -> None:
        self.texts: list[str] = []
        self.end_with(last_cells)

    def end_with(self, last_cells: list[object]) -> None:
        """Say which cells the following rows end with."""
        text = io.StringIO()
        csv.writer(text).writerow(["", *last_cells])
        self._end = text.getvalue() if last_cells else END_OF_ROW

    def write(self, row: str) -> None:
        """Take a row as the csv module writes it."""
        self.texts.append(row.removesuffix(END_OF_ROW) + self._end)


def context_of(answer: Answer, record: Record) -> dict[str, str]:
    """Return what holds for every record and isn't in it: question, years, unit, method, citation."""
    provenance = answer.get("provenance")
    known = provenance if isinstance(provenance, Mapping) else {}
    request = known.get("request")
    parameters = request.get("parameters") if isinstance(request, Mapping) else None
    asked = parameters if isinstance(parameters, Mapping) else {}
    years = asked.get("years")
    found = {
        "question": asked.get("question"),
        "years": years_text(years) if isinstance(years, list) and "year" not in record else None,
        "unit": answer.get("unit"),
        "method": known.get("method"),  # with the page about it enough; in words it would outweigh the numbers
        "citation": known.get("citation"),
    }
    return {name: text for name, text in found.items() if isinstance(text, str) and text and name not in record}


def years_text(years: Iterable[int]) -> str:
    """Return years in words: the first and the last where none is missing in between.

    >>> years_text([2021, 2022, 2023]), years_text([2011, 2013]), years_text([2023])
    ('2021-2023', '2011, 2013', '2023')
    """
    found = sorted(years)
    is_range = len(found) > 1 and found[-1] - found[0] == len(found) - 1
    return f"{found[0]}-{found[-1]}" if is_range else ", ".join(map(str, found))


def safe_cell(value: object) -> object:
    """Return what the csv module is to write.

    >>> safe_cell("=1+1"), safe_cell(-1.5), safe_cell(True), safe_cell(None)
    ("'=1+1", -1.5, 'true', None)
    """
    if isinstance(value, str):
        return _harmless(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


@cache
def _starts_formula(letter: str) -> bool:
    """Whether a spreadsheet may take a letter for the start of a formula: also in full width, or as a minus sign."""
    return letter == "\u2212" or unicodedata.normalize("NFKC", letter) in _FORMULA_STARTS


def _harmless(text: str) -> str:
    """Return a text with an apostrophe before whatever would be a formula, also where it was taken apart.

    >>> _harmless("x;=1+1"), _harmless(" \uff1d1"), _harmless("18 - 24; 25 - 34")
    ("x;'=1+1", "' \uff1d1", '18 - 24; 25 - 34')
    """
    start = "'" if text[:1] in {"\t", "\r", "\n"} else ""
    return start + "".join(
        f"'{part}{end}" if (bare := part.lstrip(_AROUND)) and _starts_formula(bare[0]) else part + end
        for part, end in _PART.findall(text)
    )
