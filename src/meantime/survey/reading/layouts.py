"""Known layouts: tables of other publishers that are read without a mapping file, found by their headers.

A layout is a mapping file with one section more, ``[layout]``: what it's called, the headers that identify it, where
such tables are published. They are in ``meantime/data/layouts``. A table whose columns a person has named is no
layout's; CDC's own family of tables needs none. What a header means, by a mapping or a layout, is decided here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

from meantime.errors import DataError
from meantime.fields.fields import parse_toml
from meantime.survey.reading.columns import ColumnMap, Role, folded, match_columns
from meantime.survey.reading.files.text_layouts import Recognises
from meantime.survey.reading.forms.wide_years import VALUE_OF_COLUMN, YEAR_OF_COLUMN, likely_pattern, year_columns
from meantime.survey.reading.layout_files import layout_files
from meantime.survey.reading.mapping import mapping_of
from meantime.survey.reading.profile import Profile


@dataclass(frozen=True, slots=True)
class Layout:
    """One known layout. All of its ``headers`` must be in a file, compared as columns are found."""

    name: str
    title: str
    headers: tuple[str, ...]
    url: str
    profile: Profile


@cache
def layouts() -> tuple[Layout, ...]:
    """Return all layouts, those with more headers first."""
    found = [_layout(path) for path in layout_files()]
    return tuple(sorted(found, key=lambda layout: -len(layout.headers)))


def find_layout(headers: Sequence[str]) -> Layout | None:
    """Return the layout of a table: the one with most headers, all of which the table has."""
    names = {folded(header) for header in headers}
    return next((layout for layout in layouts() if names.issuperset(map(folded, layout.headers))), None)


def with_layout(profile: Profile, headers: Sequence[str]) -> Profile:
    """Return a profile completed with the layout of a table, if it has a known one.

    What a mapping states comes first; where it names columns itself, no layout is looked for.
    """
    layout = None if profile.columns or profile.strata or profile.wide_years else find_layout(headers)
    if layout is None:
        return profile
    unchanged, completed = Profile(), layout.profile
    stated = {
        each.name: getattr(profile, each.name)
        for each in fields(Profile)
        if getattr(profile, each.name) != getattr(unchanged, each.name)
    }
    for name, value in stated.items():
        beneath = getattr(completed, name)
        stated[name] = {**beneath, **value} if isinstance(beneath, dict) else value
    return replace(completed, **stated, layout=layout.name)


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


def _layout(path: Path) -> Layout:
    document = parse_toml(path.read_text(encoding="utf-8"))
    described = document.pop("layout", None)
    match described:
        case {"title": str(title), "headers": [*headers], "url": str(url)} if all(isinstance(h, str) for h in headers):
            profile = mapping_of(document, path.name).profile
            return Layout(path.stem, title, tuple(str(header) for header in headers), url, profile)
    raise DataError(f"{path.name}: [layout] needs a title, headers and a url")
