"""A mapping file (TOML): how to read a table that is not of CDC's family.

Every key is optional; what it doesn't state is taken from the built-in profile. Unknown keys are refused.
``proposal/`` writes one for an unknown table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from meantime.errors import DataError, FieldError
from meantime.fields.fields import check_names, parse_toml
from meantime.fields.kinds import Boolean, Choice, JsonSchema, Kind, ListOf, Number, Refer, Text, WholeNumber
from meantime.survey.questions import Direction
from meantime.survey.reading.columns import FIGURE_ROLES, NUMBER_ROLES, STRATA_ROLES, Role
from meantime.survey.reading.mapping_breaks import checked, read_breaks
from meantime.survey.reading.profile import FileForm, Profile, normal

CLAIMS = ("publisher", "title", "dataset_id", "export_date", "licence", "url")
"""What a mapping may say of a table's origin, under [source]."""

_MANY = 1_000_000  # who writes a mapping file owns the server: no limit that anybody meets
_TEXT = Text("a text in quotes", minimum=0, maximum=_MANY)
_NUMBER = Text("a number in quotes", r"\d+(\.\d+)?", maximum=_MANY)
_TEXTS = ListOf(_TEXT, minimum=0, maximum=_MANY, expected='a list of texts, such as ["Guam"]')
_DIRECTION = Choice([direction.value for direction in Direction])

_COLUMNS = {role.value: _TEXT for role in Role}
_STRATA = {"strata": _TEXTS}
_FIXED = {
    role.value: _NUMBER if role in NUMBER_ROLES else _TEXT
    for role in Role
    if role not in FIGURE_ROLES or role is Role.SAMPLE_SIZE
}
_NAMES = dict.fromkeys(("nation", "territories", "overall", "missing"), _TEXTS)
_SOURCE = dict.fromkeys(CLAIMS, _TEXT)
_FILE_TEXTS: dict[str, Kind[str]] = {
    "delimiter": Text("one character such as ';'", r'(?![\r\n"])[\x00-\x7f]', maximum=1),
    "decimal": Choice([".", ","]),
    "thousands": Choice([",", ".", " ", "'"]),
    "encoding": Text("the name of an encoding, such as 'windows-1252'", r"[A-Za-z0-9_-]+", maximum=40),
    "year": Choice(["first", "last"]),
}
_FILE_LINES = dict.fromkeys(("skip", "footer"), WholeNumber(0, _MANY))
_ROWS = {"pool": Boolean()}
_VALUES = {"confidence_percent": Number(50, 99.99, what="a number")}
_WIDE = {
    "years": Text(
        "a text with {year} in it, such as 'Y{year}'", r"[^{}]*\{year\}[^{}]*(\{year\}[^{}]*)*", maximum=_MANY
    )
}
_SECTIONS = ("columns", "fixed", "rows", "values", "names", "strata", "directions", "breaks", "source", "file", "wide")

T = TypeVar("T")


class _TextOrTexts(ListOf[str]):
    """A list of texts, or one of them."""

    def check(self, value: object, context: object = None) -> tuple[str, ...]:
        """Return the texts."""
        return super().check([value] if isinstance(value, str) else value, context)


class _TextsByColumn(Kind[Mapping[str, object]]):
    """Columns with the texts that rows must have there; what the texts may be is looked at one by one."""

    expected = 'columns with their texts, such as {Sex = "Female"}'

    def check(self, value: object, context: object = None) -> Mapping[str, object]:
        """Return the columns."""
        if not isinstance(value, dict):
            raise self.refusal(value)
        return value

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of an object."""
        return {"type": "object"}


_KEEP = {"keep": _TextsByColumn()}
_KEPT = _TextOrTexts(_TEXT, maximum=_MANY, expected='a text or a list of texts, such as ["All", "Total"]')


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
        TOML with the sections ``columns``, ``fixed``, ``rows``, ``values``, ``names``, ``strata``, ``directions``,
        ``breaks``, ``source``, ``file`` and ``wide``.
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
    except FieldError as error:
        raise DataError(f"{name}: {error}") from error
    return mapping_of(document, name)


def mapping_of(document: Mapping[str, object], name: str) -> TableMapping:
    """Return the mapping that a decoded TOML file states; see `parse_mapping`."""
    try:
        check_names(document, _SECTIONS, what="section")
    except FieldError as error:
        raise DataError(f"{name}: {error}") from error
    sections = _Sections(name, document)
    built_in = Profile()
    names = sections.read("names", _NAMES)
    normalised = {key: tuple(normal(text) for text in texts) for key, texts in names.items() if key != "missing"}
    orders = {
        normal(key): tuple(normal(text) for text in texts) for key, texts in sections.read("strata", _TEXTS).items()
    }
    columns, strata = sections.columns()
    fixed = {Role(key): text for key, text in sections.read("fixed", _FIXED).items()}
    _check_roles(name, columns, strata, fixed)
    values, wide = sections.read("values", _VALUES), sections.read("wide", _WIDE)
    profile = replace(
        built_in,
        **normalised,
        missing=names.get("missing", ()),
        columns=columns,
        strata=strata,
        fixed=fixed,
        # A table with columns of its own is no table of CDC's percentages.
        known_unit="" if columns else built_in.known_unit,
        keep=sections.keep(),
        pool=sections.read("rows", _ROWS, others=_KEEP).get("pool", False),
        confidence_percent=values.get("confidence_percent", built_in.confidence_percent),
        strata_order=dict(built_in.strata_order) | orders,
        directions={key: Direction(word) for key, word in sections.read("directions", _DIRECTION).items()},
        breaks=read_breaks(document, name),
        file=sections.file(),
        wide_years=wide.get("years", ""),
        layout="",
    )
    return TableMapping(profile, sections.read("source", _SOURCE))


def _check_roles(name: str, columns: Mapping[Role, str], strata: Sequence[str], fixed: Mapping[Role, str]) -> None:
    """Refuse a role that is stated in two ways."""
    for role in columns.keys() & fixed.keys():
        raise DataError(f"{name}: {role} is under [columns] and under [fixed]; keep one")
    for role in STRATA_ROLES:
        if strata and (columns.get(role) or role in fixed):
            raise DataError(f"{name}: {role} is stated beside strata, which are a category and a stratum; keep one")
    if columns.get(Role.STANDARD_ERROR) and columns.get(Role.MARGIN_OF_ERROR):
        raise DataError(f"{name}: standard_error and margin_of_error are both under [columns]; keep one")


@dataclass(frozen=True, slots=True)
class _Sections:
    """The document, read a section at a time; every complaint names file, section and key."""

    name: str
    document: Mapping[str, object]

    def read(
        self, section: str, kinds: Mapping[str, Kind[T]] | Kind[T], *, others: Collection[str] = ()
    ) -> dict[str, T]:
        """Return a section's values.

        ``kinds`` is one for each key, or the one of all keys where these are free; ``others`` are keys that are read
        apart.
        """
        content = self.document.get(section, {})
        if not isinstance(content, dict):
            raise DataError(f"{self.name}: {section} must be a section, [{section}]")
        if not isinstance(kinds, Kind):
            try:
                check_names(content, [*kinds, *others], what=f"key of [{section}]")
            except FieldError as error:
                raise DataError(f"{self.name}: {error}") from None
        return {
            key: self._checked(section, key, value, kinds if isinstance(kinds, Kind) else kinds[key])
            for key, value in content.items()
            if key not in others
        }

    def columns(self) -> tuple[dict[Role, str], tuple[str, ...]]:
        """Return the columns of the roles, and the strata columns where these are several."""
        columns = self.read("columns", _COLUMNS, others=_STRATA)
        strata = self.read("columns", _STRATA, others=_COLUMNS)
        return {Role(key): text for key, text in columns.items()}, strata.get("strata", ())

    def keep(self) -> dict[str, tuple[str, ...]]:
        """Return the columns that rows are kept by, with the texts that they must have."""
        found = self.read("rows", _KEEP, others=_ROWS).get("keep", {})
        return {column: self._checked("rows.keep", column, texts, _KEPT) for column, texts in found.items()}

    def file(self) -> FileForm:
        """Return how the file is written."""
        texts = self.read("file", _FILE_TEXTS, others=_FILE_LINES)
        lines = self.read("file", _FILE_LINES, others=_FILE_TEXTS)
        return FileForm(
            delimiter=texts.get("delimiter", FileForm().delimiter),
            decimal=texts.get("decimal", ""),
            thousands=texts.get("thousands", ""),
            encoding=texts.get("encoding", ""),
            skip=lines.get("skip"),
            footer=lines.get("footer"),
            year=texts.get("year", ""),
        )

    def _checked(self, section: str, key: str, value: object, kind: Kind[T]) -> T:
        return checked(self.name, f"[{section}]", key, value, kind)
