"""Named arrays and a text in one file with a checksum over both.

The file is written whole under another name and then renamed. It is read whole, never mapped into memory (others
might truncate it) and never unpickled. What the arrays mean is not known here.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_MAGIC = b"meantime arrays 1\n"
_CHECKSUM_BYTES = hashlib.sha256().digest_size
_LENGTH_BYTES = 8

Array = npt.NDArray[np.int32] | npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """What a file holds; the arrays are read-only and share one buffer."""

    header: str
    arrays: dict[str, Array]


def write_array_file(path: Path, header: str, arrays: Mapping[str, Array]) -> None:
    """Write a file, so that it is there whole or not at all.

    Parameters
    ----------
    path
        Its directory exists; a file that is there is replaced.
    header
        Any text, such as JSON that says what the arrays are.
    arrays
        One-dimensional arrays of 4-byte integers or 8-byte floats.

    Raises
    ------
    OSError
        The directory can't be written.
    """
    stored = {name: array.astype(array.dtype.newbyteorder("<"), copy=False) for name, array in arrays.items()}
    columns = {name: (array.dtype.str, len(array)) for name, array in stored.items()}
    encoded = json.dumps({"header": header, "columns": columns}).encode()
    checksum = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".writing-", delete=False) as opened:
        try:
            start = (_MAGIC, len(encoded).to_bytes(_LENGTH_BYTES, "little"), encoded)
            for part in (*start, *(array.tobytes() for array in stored.values())):
                checksum.update(part)
                opened.write(part)
            opened.write(checksum.digest())
            opened.flush()
            Path(opened.name).replace(path)
        except OSError:
            Path(opened.name).unlink(missing_ok=True)
            raise


def read_array_file(path: Path) -> ArrayFile | None:
    """Read a file.

    Returns
    -------
    ArrayFile or None
        None when there is no file, or it is damaged or cut short.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    body, checksum = memoryview(content)[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
    if not content.startswith(_MAGIC) or hashlib.sha256(body).digest() != checksum:
        return None
    start = len(_MAGIC) + _LENGTH_BYTES
    offset = start + int.from_bytes(content[len(_MAGIC) : start], "little")
    document = json.loads(content[start:offset])
    arrays: dict[str, Array] = {}
    for name, (dtype, length) in document["columns"].items():
        arrays[name] = np.frombuffer(content, dtype=dtype, count=length, offset=offset)
        offset += arrays[name].nbytes
    return ArrayFile(document["header"], arrays)
