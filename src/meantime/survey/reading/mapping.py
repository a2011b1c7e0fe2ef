"""A mapping file (TOML): how to read a table that is not of CDC's family.

Every key is optional; what it doesn't state is taken from the built-in profile. Unknown keys are refused.
``mapping_proposal.py`` writes one for an unknown table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from meantime.errors import DataError, FieldError
from meantime.fields.fields import check_names, parse_toml
from meantime.fields.kinds import Choice, Kind, ListOf, Text
from meantime.fields.refusals import shown
from meantime.survey.questions import Direction
from meantime.survey.reading.columns import NUMBER_ROLES, Role
from meantime.survey.reading.profile import Profile, normal

CLAIMS = ("publisher", "title", "dataset_id", "export_date", "licence", "url")
"""What a mapping may say of a table's origin, under [source]."""

_MANY = 1_000_000  # who writes a mapping file owns the server: no limit that anybody meets
_TEXT = Text("a text in quotes", minimum=0, maximum=_MANY)
_NUMBER = Text("a number in quotes", r"\d+(\.\d+)?", maximum=_MANY)
_TEXTS = ListOf(_TEXT, minimum=0, maximum=_MANY, expected='a list of texts, such as ["Guam"]')
_DELIMITER = Text("one character such as ';'", r'(?![\r\n"])[\x00-\x7f]', maximum=1)
_DIRECTION = Choice([direction.value for direction in Direction])

_COLUMNS = {role.value: _TEXT for role in Role}
_FIXED = {
    role.value: _NUMBER if role in NUMBER_ROLES else _TEXT
    for role in Role
    if role not in {Role.VALUE, Role.LOW, Role.HIGH}
}
_NAMES = dict.fromkeys(("nation", "territories", "overall", "missing"), _TEXTS)
_SOURCE = dict.fromkeys(CLAIMS, _TEXT)
_FILE = {"delimiter": _DELIMITER}
_SECTIONS = ("columns", "fixed", "names", "strata", "directions", "source", "file")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What a mapping file states: how the table is read, and its origin (`CLAIMS`)."""

    profile: Profile
    claims: dict[str, str]


def read_mapping_text(path: Path) -> str:
    """Return the text of a mapping file, for `parse_mapping`.

    Raises
    ------
    DataError
        The file can't be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "not UTF-8"
        raise DataError(f"{path}: the mapping file can't be read: {reason}") from error


def parse_mapping(text: str, name: str) -> TableMapping:
    r"""Read the text of a mapping file.

    Parameters
    ----------
    text
        TOML with the sections ``columns``, ``fixed``, ``names``, ``strata``, ``directions``, ``source`` and ``file``.
    name
        The file's name, for messages.

    Raises
    ------
    DataError
        The text is no TOML, or a key is unknown or has a value of the wrong kind; the message names file and key.

    Examples
    --------
    >>> mapping = parse_mapping('[columns]\nvalue = "pct"\n[names]\nnation = ["USA"]', "mine.toml")
    >>> mapping.profile.columns, mapping.profile.nation
    ({<Role.VALUE: 'value'>: 'pct'}, ('usa',))
    """
    try:
        document = parse_toml(text)
        check_names(document, _SECTIONS, what="section")
    except FieldError as error:
        raise DataError(f"{name}: {error}") from error
    sections = _Sections(name, document)
    built_in = Profile()
    names = sections.read("names", _NAMES)
    normalised = {key: tuple(normal(text) for text in texts) for key, texts in names.items() if key != "missing"}
    columns = {Role(key): text for key, text in sections.read("columns", _COLUMNS).items()}
    fixed = {Role(key): text for key, text in sections.read("fixed", _FIXED).items()}
    for role in columns.keys() & fixed.keys():
        raise DataError(f"{name}: {role} is under [columns] and under [fixed]; keep one")
    strata = {
        normal(key): tuple(normal(text) for text in texts) for key, texts in sections.read("strata", _TEXTS).items()
    }
    directions = sections.read("directions", _DIRECTION)
    profile = replace(
        built_in,
        **normalised,
        missing=names.get("missing", ()),
        columns=columns,
        fixed=fixed,
        unit="" if columns else built_in.unit,  # a table with columns of its own is no table of CDC's percentages
        strata_order=dict(built_in.strata_order) | strata,
        directions={key: Direction(word) for key, word in directions.items()},
        delimiter=sections.read("file", _FILE).get("delimiter", built_in.delimiter),
    )
    return TableMapping(profile, sections.read("source", _SOURCE))


@dataclass(frozen=True, slots=True)
class _Sections:
    """The document, read a section at a time; every complaint names file, section and key."""

    name: str
    document: Mapping[str, object]

    def read(self, section: str, kinds: Mapping[str, Kind[T]] | Kind[T]) -> dict[str, T]:
        """Return a section's values; ``kinds`` is one for each key, or the one of all keys where these are free."""
        content = self.document.get(section, {})
        if not isinstance(content, dict):
            raise DataError(f"{self.name}: {section} must be a section, [{section}]")
        if not isinstance(kinds, Kind):
            try:
                check_names(content, kinds, what=f"key of [{section}]")
            except FieldError as error:
                raise DataError(f"{self.name}: {error}") from None
        return {
            key: self._checked(section, key, value, kinds if isinstance(kinds, Kind) else kinds[key])
            for key, value in content.items()
        }

    def _checked(self, section: str, key: str, value: object, kind: Kind[T]) -> T:
        try:
            return kind.check(value)
        except FieldError:
            raise DataError(
                f"{self.name}: {shown(key)} under [{section}] is {shown(value)}; it must be {kind.expected}"
            ) from None
