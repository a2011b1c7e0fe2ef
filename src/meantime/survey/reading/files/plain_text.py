"""A CSV's text written anew: UTF-8, one kind of line end, nothing above its header nor below its table.

Engines read most files as they lie there; only one that they couldn't read is copied, into a file without a name. The
lines keep their order, so that messages can name the lines of the file as it is.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

UTF_8 = "utf-8-sig"
"""How a text is decoded when nothing says otherwise; a byte order mark is left out."""


def decoding_errors(encoding: str) -> str:
    """Return what becomes of bytes that an encoding doesn't have; in UTF-8 they stay, since rows can name the place."""
    return "surrogateescape" if encoding == UTF_8 else "strict"


def write_plain_text(path: str, encoding: str, plain: BinaryIO, *, skip: int = 0, footer: int = 0) -> None:
    """Copy a text without its first lines and its last ones; blank lines at its end don't count among these.

    Raises
    ------
    UnicodeDecodeError
        The bytes are of another encoding than the stated one.
    """
    output = io.TextIOWrapper(plain, encoding="utf-8", errors="surrogateescape", newline="\n", write_through=True)
    output.writelines(_table_lines(path, encoding, skip, footer))
    output.flush()
    output.detach()


def _table_lines(path: str, encoding: str, skip: int, footer: int) -> Iterator[str]:
    held: deque[str] = deque()
    filled = 0
    with Path(path).open(encoding=encoding, errors=decoding_errors(encoding), newline=None) as text:
        for number, line in enumerate(text):
            if number < skip:
                continue
            held.append(line)
            filled += bool(line.strip())
            while filled > footer:
                written = held.popleft()
                filled -= bool(written.strip())
                yield written
