"""The files of known layouts, and their checksum.

Apart from ``layouts.py``, which reads them: whoever asks for the checksum alone needs nothing of it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import meantime


@cache
def layout_files() -> tuple[Path, ...]:
    """Return the files, by name."""
    return tuple(sorted((Path(meantime.__file__).parent / "data" / "layouts").glob("*.toml")))


@cache
def layouts_checksum() -> str:
    """Return a checksum of all layouts (hex), which say how a table is read that nobody has described."""
    content = [(path.name, path.read_bytes()) for path in layout_files()]
    return hashlib.sha256(repr(content).encode()).hexdigest()
