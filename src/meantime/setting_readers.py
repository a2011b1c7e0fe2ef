"""What a setting's value may look like: each reader takes text or a TOML value, and says no by ValueError.

Which setting has which reader, and where values come from, is in ``settings.py``.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]", re.ASCII)
ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)
_NAMED = re.compile(r"(?:([a-z][a-z0-9_-]{0,31})=)?(.+)", re.ASCII | re.DOTALL)
_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class NamedPath:
    """A path and the name of the dataset that it is for; the name is empty where none was given."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns what was given (text, or a TOML value) into a setting's value; ValueError when it can't."""

    expected: str
    read: Callable[[object], object]


def whole_number(minimum: int, maximum: int) -> Reader:
    """Accept a whole number within inclusive bounds; text in plain ASCII digits, without leading zeros."""

    def read(given: object) -> int:
        if isinstance(given, str) and _WHOLE.fullmatch(given):
            given = int(given)
        if not isinstance(given, int) or isinstance(given, bool) or not minimum <= given <= maximum:
            raise ValueError
        return given

    return Reader(f"a whole number from {minimum} to {maximum}", read)


def seconds(maximum: float) -> Reader:
    """Accept a number of seconds from 0 on."""

    def read(given: object) -> float:
        if isinstance(given, str) and _DECIMAL.fullmatch(given):
            given = float(given)
        if not isinstance(given, int | float) or isinstance(given, bool) or not 0 <= given <= maximum:
            raise ValueError
        return float(given)

    return Reader(f"a number of seconds from 0 to {maximum:.0f}", read)


def _read_yes_or_no(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in _YES + _NO:
        return given.lower() in _YES
    raise ValueError


def _read_path(given: object) -> Path:
    if isinstance(given, Path):
        return given
    if not isinstance(given, str) or not given or "\0" in given:
        raise ValueError
    return Path(given).expanduser()


def _read_named_path(given: object) -> NamedPath:
    found = _NAMED.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError
    return NamedPath(found[1] or "", _read_path(found[2]))


def _read_named_paths(given: object) -> tuple[NamedPath, ...]:
    items = given.split(os.pathsep) if isinstance(given, str) else given
    if not isinstance(items, list | tuple):
        raise ValueError  # noqa: TRY004 - every reader says no in the same way
    return tuple(_read_named_path(item) for item in items)


def _read_address(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError  # noqa: TRY004 - every reader says no in the same way
    return "127.0.0.1" if given == "localhost" else str(ipaddress.ip_address(given.strip("[]")))


def list_of(what: str, item: re.Pattern[str]) -> Reader:
    """Accept texts that match, as a TOML array or with commas; they become lower case."""

    def read(given: object) -> tuple[str, ...]:
        items = [each.strip() for each in given.split(",")] if isinstance(given, str) else given
        if not isinstance(items, list | tuple):
            raise ValueError  # noqa: TRY004 - every reader says no in the same way
        if not all(isinstance(each, str) and item.fullmatch(each) for each in items):
            raise ValueError
        return tuple(str(each).lower() for each in items)

    return Reader(f"{what}, separated by commas", read)


def choice(*choices: str) -> Reader:
    """Accept one of some words, in any case."""

    def read(given: object) -> str:
        if not isinstance(given, str) or given.lower() not in choices:
            raise ValueError
        return given.lower()

    return Reader(f"one of {', '.join(choices)}", read)


YES_OR_NO = Reader("true or false", _read_yes_or_no)
PATH = Reader("a path", _read_path)
NAMED_PATHS = Reader(f"PATH or NAME=PATH, several separated by {os.pathsep}", _read_named_paths)
ADDRESS = Reader("an IP address or localhost", _read_address)
