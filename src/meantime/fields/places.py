"""Kinds of values that say where something is: files, named files, addresses. Nothing here looks whether it exists."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from meantime.fields.kinds import JsonSchema, Kind, ListOf, Refer

_NAMED = r"(?:([a-z][a-z0-9_-]{0,31})=)?(.+)"


class FilePath(Kind[Path]):
    """A path of a file or a folder; ``~`` at its start is a home directory."""

    expected = "a path"

    def check(self, value: object, context: object = None) -> Path:
        """Return the path."""
        if isinstance(value, Path):
            return value
        if not isinstance(value, str) or not value or "\0" in value:
            raise self.refusal(value)
        try:
            return Path(value).expanduser()
        except RuntimeError:  # nobody has a home of this name
            raise self.refusal(value) from None

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a string."""
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class NamedPath:
    """A path and the name of the dataset that it is for; the name is empty where none was given."""

    name: str
    path: Path


class NamedFilePath(Kind[NamedPath]):
    """A path, or a name, an equals sign and a path."""

    expected = "PATH or NAME=PATH"

    def check(self, value: object, context: object = None) -> NamedPath:
        """Return the path with its name."""
        if isinstance(value, NamedPath):
            return value
        found = re.fullmatch(_NAMED, value, re.ASCII | re.DOTALL) if isinstance(value, str) else None
        if found is None:
            raise self.refusal(value)
        return NamedPath(found[1] or "", FilePath().check(found[2]))

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a string."""
        return {"type": "string", "minLength": 1}


class NamedPaths(ListOf[NamedPath]):
    """Several named paths; as a text separated like those of ``PATH``, for names of files may have commas."""

    def parse(self, text: str) -> list[object]:
        """Return the texts between separators."""
        return list(text.split(os.pathsep))


NAMED_PATHS = NamedPaths(NamedFilePath(), minimum=0, expected=f"PATH or NAME=PATH, several separated by {os.pathsep}")


class IpAddress(Kind[str]):
    """An address to bind to, also in brackets; ``localhost`` is 127.0.0.1."""

    expected = "an IP address or localhost"

    def check(self, value: object, context: object = None) -> str:
        """Return the address without brackets."""
        if not isinstance(value, str):
            raise self.refusal(value)
        try:
            return "127.0.0.1" if value == "localhost" else str(ipaddress.ip_address(value.strip("[]")))
        except ValueError:
            raise self.refusal(value) from None

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a string."""
        return {"type": "string", "minLength": 1}
