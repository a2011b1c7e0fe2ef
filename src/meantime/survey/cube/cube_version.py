"""The version of a cube, which is known before it is built: a checksum of what it is read from, and how.

Apart from the cube, since who asks for it alone, before a child has read the table, needs no numpy.
"""

from __future__ import annotations

import hashlib
import json

from meantime.survey.reading.files.packing import SourceKind
from meantime.survey.reading.layout_files import layouts_checksum
from meantime.survey.reading.profile import Profile

CUBE_FORMAT = 6
"""Counted up when the cube's content or the way a source is read changes, so that older files are built anew."""


def cube_version(source_sha256: str, kind: SourceKind, profile: Profile) -> str:
    """Return the version of the cube that a source's bytes give, read in one way (64 hex digits)."""
    parts = [CUBE_FORMAT, source_sha256, kind, profile.key, layouts_checksum()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
