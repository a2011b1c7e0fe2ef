"""Lines of a mapping file that settle what a table leaves open, for refusals and proposals.

Each is the section it belongs to and the line. What has to be told apart is found in ``ingest/cell_guard.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from meantime.fields.refusals import printable_toml
from meantime.survey.reading.columns import ColumnMap, Role

Line = tuple[str, str]
"""Section and line, such as ``("rows", 'keep = {Sex = "Female"}')``."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def quoted(value: str | Sequence[str]) -> str:
    """Return a TOML string, or a list of some: the escapes that JSON needs are TOML's, too.

    >>> print(quoted("Sex"), quoted(["All"]))
    "Sex" ["All"]
    """
    return printable_toml(json.dumps(value, ensure_ascii=False))


def keep_line(texts: Mapping[str, str]) -> Line:
    """Return the line that keeps rows by the texts of columns.

    >>> keep_line({"Sex": "All", "Age group": "All"})
    ('rows', 'keep = {Sex = "All", "Age group" = "All"}')
    """
    pairs = (
        f"{header if _BARE_KEY.fullmatch(header) else quoted(header)} = {quoted(text)}"
        for header, text in texts.items()
    )
    return "rows", f"keep = {{{', '.join(pairs)}}}"


def strata_line(headers: Sequence[str]) -> Line:
    """Return the line that states strata columns."""
    return "columns", f"strata = {quoted(headers)}"


def longer_text_line(columns: ColumnMap, role: Role, headers: Sequence[str], pattern: str) -> Line | None:
    """Return the line that makes further columns a part of a role's text; None where braces can't name them.

    ``pattern`` says how each is added, such as ``" ({})"``.
    """
    recipe = columns.recipes.get(role)
    shown = recipe.shown.strip() if recipe else columns.fixed.get(role, "")
    if any(set("{}") & set(header) for header in headers):
        return None
    stated = f"{{{shown}}}" if recipe and recipe.column is not None else shown
    added = "".join(pattern.replace("{}", f"{{{header}}}") for header in headers)
    return "columns", f"{role} = {quoted(stated + added)}"


def choices(lines: Sequence[Line | None]) -> str:
    """Return lines as a choice in words: "state `...` under [rows] or `...` under [columns] in a mapping file"."""
    stated = " or ".join(f"`{line}` under [{section}]" for section, line in filter(None, lines))
    return f"state {stated} in a mapping file"


def with_line(mapping_text: str, line: Line, reason: str) -> str:
    r"""Return a mapping file's text with one line more, in the place of what it states under the same key.

    >>> print(with_line("[names]\n# missing = []\n[source]\n", ("names", 'missing = ["*"]'), "line 3"), end="")
    [names]
    missing = ["*"]  # unsure: line 3
    [source]
    """
    section, stated = line
    key = stated.partition(" = ")[0]
    lines = mapping_text.splitlines()
    begin = next((place for place, text in enumerate(lines) if text.startswith(f"[{section}]")), len(lines))
    if begin == len(lines):
        lines += ["", f"[{section}]"]
        begin += 1
    end = next((place for place in range(begin + 1, len(lines)) if lines[place].startswith("[")), len(lines))
    while end > begin + 1 and not lines[end - 1].strip():
        end -= 1
    same = [place for place in range(begin + 1, end) if re.match(rf"(# )?{re.escape(key)} = ", lines[place])]
    place = same[0] if same else end
    lines[place : place + len(same[:1])] = [f"{stated}  # unsure: {printable_toml(reason)}"]
    return "\n".join(lines) + "\n"
