"""Known layouts: tables of other publishers that are read without a mapping file, found by their headers.

A layout is a mapping file with one section more, ``[layout]``: what it's called, the headers that identify it, where
such tables are published, and what becomes of the columns that it doesn't name (``rest``). They are in
``meantime/data/layouts``. A layout's columns that a file lacks are left out. A table whose columns a person has named
is no layout's; CDC's own family of tables needs none. What a header means, by a mapping or a layout, is decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from meantime.errors import DataError
from meantime.fields.fields import parse_toml
from meantime.survey.reading.columns import ColumnMap, Role, folded, match_columns
from meantime.survey.reading.files.text_layouts import Recognises
from meantime.survey.reading.forms.wide_years import VALUE_OF_COLUMN, YEAR_OF_COLUMN, likely_pattern, year_columns
from meantime.survey.reading.layout_files import layout_files
from meantime.survey.reading.mapping import mapping_of
from meantime.survey.reading.profile import FileForm, Profile
from meantime.survey.reading.recipes import columns_in, recipe_of


@dataclass(frozen=True, slots=True)
class Layout:
    """One known layout. All of its ``headers`` must be in a file, compared as columns are found.

    ``rest`` is what the columns are that it neither names nor ignores: ``strata``, further parts of the ``question``,
    or the one ``value``, whose header is the question; empty where they play no part.
    """

    name: str
    title: str
    headers: tuple[str, ...]
    url: str
    profile: Profile
    rest: str = ""
    ignored: tuple[str, ...] = ()

    def fits(self, headers: Sequence[str]) -> bool:
        """Whether a table with these headers is of this layout."""
        names = {folded(header) for header in headers}
        rest_count = len(self._rest_of(headers)) if self.rest == "value" else 1
        return names.issuperset(map(folded, self.headers)) and rest_count == 1

    def profile_for(self, headers: Sequence[str]) -> Profile:
        """Return how a table with these headers is read."""
        there = {folded(header) for header in headers}
        columns = {role: _present(text, there) for role, text in self.profile.columns.items()}
        columns = {role: text for role, text in columns.items() if text or not self.profile.columns[role]}
        strata = [name for name in self.profile.strata if folded(name) in there]
        rest = self._rest_of(headers) if self.rest else []
        if self.rest == "value":
            fixed = {**self.profile.fixed, Role.QUESTION: rest[0].strip()}
            return replace(self.profile, columns={**columns, Role.VALUE: rest[0]}, fixed=fixed)
        if self.rest == "question":
            columns[Role.QUESTION] += "".join(f": {{{header.strip()}}}" for header in rest)
            return replace(self.profile, columns=columns, strata=tuple(strata))
        return replace(self.profile, columns=columns, strata=(*strata, *rest))

    def _rest_of(self, headers: Sequence[str]) -> list[str]:
        """Return the headers that the layout neither names nor ignores."""
        named = [name for text in self.profile.columns.values() for name in (columns_in(text) or [text])]
        known = {folded(name) for name in (*named, *self.profile.strata, *self.ignored)}
        return [header for header in headers if folded(header) not in known]


@cache
def layouts() -> tuple[Layout, ...]:
    """Return all layouts, those with more headers first."""
    found = [_layout(path) for path in layout_files()]
    return tuple(sorted(found, key=lambda layout: -len(layout.headers)))


def find_layout(headers: Sequence[str]) -> Layout | None:
    """Return the layout of a table: the one with most headers, all of which the table has."""
    return next((layout for layout in layouts() if layout.fits(headers)), None)


def with_layout(profile: Profile, headers: Sequence[str]) -> Profile:
    """Return a profile completed with the layout of a table, if it has a known one.

    What a mapping states comes first; where it names columns itself, no layout is looked for.
    """
    layout = None if profile.columns or profile.strata or profile.wide_years else find_layout(headers)
    if layout is None:
        return profile
    completed = layout.profile_for(headers)
    stated = _changed(profile, Profile())
    for name, value in stated.items():
        beneath = getattr(completed, name)
        stated[name] = {**beneath, **value} if isinstance(beneath, dict) else value
    stated["file"] = replace(completed.file, **_changed(profile.file, FileForm()))
    return replace(completed, **stated, layout=layout.name)


def layout_title(name: str) -> str:
    """Return what the layout of a profile is called; empty where it has none."""
    return next((layout.title for layout in layouts() if layout.name == name), "")


def _changed(stated: Profile | FileForm, unchanged: Profile | FileForm) -> dict[str, Any]:
    """Return the fields that a mapping states."""
    both = {each.name: (getattr(stated, each.name), getattr(unchanged, each.name)) for each in fields(stated)}
    return {name: value for name, (value, default) in both.items() if value != default}


def find_columns(header: Sequence[str], profile: Profile, source_name: str, line: int = 1) -> ColumnMap:
    """Return the columns that a profile finds; where it doesn't, perhaps years are columns."""
    virtual = {Role.YEAR: YEAR_OF_COLUMN, Role.VALUE: VALUE_OF_COLUMN} if YEAR_OF_COLUMN in header else {}
    try:
        return match_columns(
            header,
            source_name=source_name,
            line=line,
            stated={**profile.columns, **virtual},
            fixed=profile.fixed,
            strata=profile.strata,
            keep=profile.keep,
        )
    except DataError as error:
        pattern = "" if virtual else likely_pattern(header)
        if not pattern:
            raise
        years = ", ".join(list(year_columns(header, pattern).values())[:5])
        raise DataError(
            f'{error}; years ({years}) seem to be columns: state `years = "{pattern}"` under [wide] in a mapping file, '
            "and each becomes a row"
        ) from error


def recognising(profile: Profile) -> Recognises:
    """Return whether a line's fields are names of columns that a profile, or a known layout, can read."""

    def recognises(fields: Sequence[str]) -> bool:
        years = year_columns(fields, profile.wide_years) if profile.wide_years else {}
        header = (*fields, YEAR_OF_COLUMN, VALUE_OF_COLUMN) if years else fields
        try:
            find_columns(header, with_layout(profile, header), "")
        except DataError:
            return False
        return True

    return recognises


def _present(stated: str, there: Collection[str]) -> str:
    """Return a text made of columns without those that a table lacks."""
    names = columns_in(stated)
    if not names:
        return stated if folded(stated) in there else ""
    parts = zip(recipe_of(stated, range(len(names))).parts, names, strict=True)
    written = ""
    for part, name in parts:
        if folded(name) in there:
            written = part.added_to(written, f"{{{name}}}")
    return written


def _layout(path: Path) -> Layout:
    document = parse_toml(path.read_text(encoding="utf-8"))
    match document.pop("layout", None):
        case {"title": str(title), "headers": [*headers], "url": str(url), **others}:
            profile = mapping_of(document, path.name).profile
            ignored, rest = others.get("ignored"), str(others.get("rest", ""))
            names = tuple(str(name) for name in ignored) if isinstance(ignored, list) else ()
            return Layout(path.stem, title, tuple(str(header) for header in headers), url, profile, rest, names)
    raise DataError(f"{path.name}: [layout] needs a title, headers and a url")
