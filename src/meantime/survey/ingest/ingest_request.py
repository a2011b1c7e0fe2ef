"""What a parent asks of the ingest's child process, as one line of JSON; both sides import this and little else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Errand(StrEnum):
    """What the child reads a source for."""

    CUBE = "cube"
    VALUES = "values"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """Read a source and write what is asked for to the file ``output``.

    ``mapping_text`` is the content of a mapping file, since the file itself may change meanwhile. The child refuses a
    source whose checksum is not ``expected_sha256``, unless that is empty. ``filters`` are for `Errand.VALUES` alone:
    column to the names that are wanted; a column that isn't there is not filtered.
    """

    errand: Errand
    source: str
    output: str
    scratch_directory: str
    size_limit_bytes: int
    expected_sha256: str = ""
    mapping_text: str = ""
    mapping_name: str = ""
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def to_line(self) -> bytes:
        """Return the request as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> IngestRequest:
        """Read a request back."""
        content = json.loads(line)
        filters = tuple((column, tuple(names)) for column, names in content["filters"])
        return cls(**content | {"errand": Errand(content["errand"]), "filters": filters})
