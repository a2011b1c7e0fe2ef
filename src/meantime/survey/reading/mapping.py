"""A mapping file (TOML): how to read a table that is not of CDC's family.

Every key is optional; what it doesn't state is taken from the built-in profile. Unknown keys are refused.
``mapping_proposal.py`` writes one for an unknown table.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from meantime.errors import DataError
from meantime.survey.questions import Direction
from meantime.survey.reading.columns import NUMBER_ROLES, Role
from meantime.survey.reading.profile import Profile, normal

CLAIMS = ("publisher", "title", "dataset_id", "export_date", "licence", "url")
"""What a mapping may say of a table's origin, under [source]."""

_NAMES = ("nation", "territories", "overall", "missing")
_FIXED = tuple(role for role in Role if role not in {Role.VALUE, Role.LOW, Role.HIGH})
_SECTIONS = ("columns", "fixed", "names", "strata", "directions", "source", "file")


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
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: no TOML: {error}") from error
    sections = _Sections(name, document)
    built_in = Profile()
    names = {key: sections.texts("names", key) for key in sections.keys("names", _NAMES)}
    normalised = {key: tuple(normal(text) for text in texts) for key, texts in names.items() if key != "missing"}
    columns = {Role(key): sections.text("columns", key) for key in sections.keys("columns", Role)}
    fixed = {Role(key): sections.text("fixed", key) for key in sections.keys("fixed", _FIXED)}
    sections.check_numbers({role: fixed[role] for role in NUMBER_ROLES if role in fixed})
    for role in columns.keys() & fixed.keys():
        raise DataError(f"{name}: {role} is under [columns] and under [fixed]; keep one")
    strata = {
        normal(key): tuple(normal(text) for text in sections.texts("strata", key)) for key in sections.any("strata")
    }
    file_keys = sections.keys("file", ("delimiter",))
    profile = replace(
        built_in,
        **normalised,
        missing=names.get("missing", ()),
        columns=columns,
        fixed=fixed,
        unit="" if columns else built_in.unit,  # a table with columns of its own is no table of CDC's percentages
        strata_order=dict(built_in.strata_order) | strata,
        directions={key: sections.direction(key) for key in sections.any("directions")},
        delimiter=sections.delimiter() if file_keys else built_in.delimiter,
    )
    claims = {key: sections.text("source", key) for key in sections.keys("source", CLAIMS)}
    return TableMapping(profile, claims)


class _Sections:
    """The document, read key by key; every complaint names file, section and key."""

    def __init__(self, name: str, document: dict[str, object]) -> None:
        self._name = name
        self._sections: dict[str, dict[str, object]] = {}
        self._known("the top level", document, _SECTIONS)
        for section, content in document.items():
            if not isinstance(content, dict):
                raise DataError(f"{name}: {section} must be a section, [{section}]")
            self._sections[section] = content

    def any(self, section: str) -> tuple[str, ...]:
        """Return the keys of a section whose keys are free."""
        return tuple(self._sections.get(section, {}))

    def keys(self, section: str, known: Iterable[str]) -> tuple[str, ...]:
        """Return the keys of a section whose keys are known."""
        content = self._sections.get(section, {})
        self._known(f"[{section}]", content, [str(key) for key in known])
        return tuple(content)

    def text(self, section: str, key: str) -> str:
        """Return a text."""
        value = self._sections[section][key]
        if isinstance(value, str):
            return value
        raise DataError(f"{self._name}: {key} under [{section}] is {value!r}; it must be a text in quotes")

    def texts(self, section: str, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._sections[section][key]
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise DataError(f'{self._name}: {key} under [{section}] must be a list of texts, such as ["Guam"]')

    def direction(self, key: str) -> Direction:
        """Return the direction of one question."""
        value = self.text("directions", key)
        if value in set(Direction):
            return Direction(value)
        raise DataError(f"{self._name}: {key!r} under [directions] is {value!r}; it must be {' or '.join(Direction)}")

    def check_numbers(self, fixed: Mapping[Role, str]) -> None:
        """Refuse a fixed text that should be a number, such as the year."""
        for role, text in fixed.items():
            if not re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
                raise DataError(f"{self._name}: {role} under [fixed] is {text!r}; it must be a number in quotes")

    def delimiter(self) -> str:
        """Return the character between two fields."""
        value = self.text("file", "delimiter")
        if len(value) == 1 and value.isascii() and value not in '"\r\n':
            return value
        raise DataError(f"{self._name}: delimiter under [file] is {value!r}; it must be one character such as ';'")

    def _known(self, where: str, content: dict[str, object], known: Iterable[str]) -> None:
        names = list(known)
        for key in content:
            if key not in names:
                close = difflib.get_close_matches(key, names, n=3)
                hint = f"nearest: {', '.join(close)}" if close else f"there are {', '.join(names)}"
                raise DataError(f"{self._name}: unknown key {key!r} in {where}; {hint}")
