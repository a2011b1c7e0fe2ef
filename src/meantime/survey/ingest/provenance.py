"""Where a table comes from: the file beside it, a mapping file, or what is known of its questions.

The file beside a table is called ``<name>.provenance.json``; ``bundled.py`` writes the bundled table's.
"""

from __future__ import annotations

import json
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from meantime.errors import DataError
from meantime.fields.fields import parse_json
from meantime.fields.refusals import encodable
from meantime.survey.questions import Question
from meantime.survey.reading.mapping import CLAIMS
from meantime.survey.reading.profile import known_survey
from meantime.survey.reading.sources import stem

TABLE_SHA256 = "table_sha256"
"""The key that ties a provenance file to one table's bytes."""

_KEYS = (*CLAIMS, "export_sha256", "left_out")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a dataset came from; empty strings where nobody has said.

    ``source_name`` is the file's name without its folder, ``source_sha256`` the checksum of the file as served,
    ``export_date`` and ``export_sha256`` those of the publisher's export (unpacked) that it was made from.
    """

    publisher: str
    title: str
    dataset_id: str
    source_name: str
    source_sha256: str
    export_date: str = ""
    export_sha256: str = ""
    licence: str = ""
    url: str = ""
    left_out: str = ""

    @property
    def citation(self) -> str:
        """The data cited: publisher, title, id, export, address, checksum; what is known of them.

        >>> Provenance("CDC", "A survey", "x-1", "x.csv", "ab" * 32, export_date="2025-09-06").citation
        'CDC. A survey (x-1), export of 2025-09-06. SHA-256 abababababab...'
        """
        title = self.title or self.source_name
        title += f" ({self.dataset_id})" if self.dataset_id else ""
        title += f", export of {self.export_date}" if self.export_date else ""
        checksum = f"SHA-256 {(self.export_sha256 or self.source_sha256)[:12]}..."
        return " ".join(f"{part}." for part in (self.publisher, title, self.url) if part) + f" {checksum}"


def provenance_path(source: Path) -> Path:
    """Return where the provenance of a table is looked for.

    >>> provenance_path(Path("data/obesity.csv.gz"))
    PosixPath('data/obesity.provenance.json')
    """
    return source.with_name(f"{stem(source)}.provenance.json")


def find_provenance(
    source: Path, source_sha256: str, claims: dict[str, str], questions: tuple[Question, ...]
) -> Provenance:
    """Say where a table comes from.

    Parameters
    ----------
    source
        The table.
    source_sha256
        Its checksum (hex).
    claims
        What a mapping file says; it comes before everything else.
    questions
        What the table asks; a known survey is recognised by them when nothing else is stated.

    Raises
    ------
    DataError
        The provenance file can't be read, or describes other bytes than the table's.
    """
    stated = _beside(source, source_sha256)
    known = known_survey(questions) if not stated and not claims else None
    stated = (asdict(known) if known else stated) | claims
    return Provenance(source_name=encodable(source.name), source_sha256=source_sha256, **_complete(stated))


def _complete(stated: dict[str, str]) -> dict[str, str]:
    return {"publisher": "", "title": "", "dataset_id": ""} | stated


def _beside(source: Path, source_sha256: str) -> dict[str, str]:
    path = provenance_path(source)
    try:
        content = _read(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: the provenance file can't be read: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise DataError(f"{path}: the provenance file must be one object of texts")
    if content.get(TABLE_SHA256, source_sha256) != source_sha256:
        raise DataError(
            f"{path}: describes other bytes than those of {source.name} ({TABLE_SHA256} differs); "
            "correct it or remove it"
        )
    unknown = sorted(content.keys() - {*_KEYS, TABLE_SHA256})
    if unknown:
        raise DataError(f"{path}: unknown key {unknown[0]!r}; there are {', '.join(_KEYS)}")
    return {key: content[key] for key in _KEYS if key in content}


def _read(path: Path) -> object:
    """Return what a file of JSON holds; ValueError where it is a pipe, or no answer could show it."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is no file")
    content = parse_json(path.read_text(encoding="utf-8"))
    json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair is no UTF-8
    return content
