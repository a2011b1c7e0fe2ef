"""What a parent asks of the ingest's child process, as one line of JSON; both sides import this and little else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """Read a source and write its cube to a file.

    ``mapping_text`` is the content of a mapping file, since the file itself may change meanwhile. The child refuses a
    source whose checksum is not ``expected_sha256``.
    """

    source: str
    output: str
    scratch_directory: str
    expected_sha256: str
    size_limit_bytes: int
    mapping_text: str = ""
    mapping_name: str = ""

    def to_line(self) -> bytes:
        """Return the request as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> IngestRequest:
        """Read a request back."""
        return cls(**json.loads(line))
