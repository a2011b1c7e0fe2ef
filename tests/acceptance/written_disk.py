"""What a disk may hold after a power cut: a journal of writes and syncs, replayed up to a point, and then harmed.

The journal is made by ``written_disk.c``. What was synced is there. Of the rest each sector of each write is there or
not, in any combination, which tears and reorders them; of the names that were changed since their folder's sync a
part is there.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR_BYTES = 512
_HEAD = struct.Struct("=cQQII")


class Entry(NamedTuple):
    """One step: ``o`` and ``d`` open a file or folder, ``w`` writes, ``t`` cuts, ``s`` syncs, ``r``, ``u`` rename."""

    operation: str
    inode: int
    offset: int
    path: str
    data: bytes


def read_journal(path: Path) -> list[Entry]:
    """Return every step in its order."""
    content, at, entries = path.read_bytes(), 0, []
    while at < len(content):
        operation, inode, offset, path_length, data_length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        name = content[at : at + path_length].decode()
        at += path_length
        entries.append(Entry(operation.decode(), inode, offset, name, content[at : at + data_length]))
        at += data_length
    return entries


@dataclass(eq=False)
class _File:
    """A file with what is on the disk for sure, and what was written since: (offset, data), None for a cut."""

    synced: bytearray = field(default_factory=bytearray)
    unsynced: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self, content: bytes) -> None:
        for offset, data in self.unsynced:
            _apply(self.synced, offset, data)
        self.unsynced.clear()
        if content:
            self.synced[:] = content


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    if data is None:
        del content[offset:]
    else:
        content[offset : offset + len(data)] = data


class WrittenDisk:
    """The files below one folder, as they are written and synced."""

    def __init__(self) -> None:
        self._by_inode: dict[int, _File] = {}
        self._folders: dict[int, str] = {}
        self._names: dict[str, _File] = {}
        self._synced_names: dict[str, _File] = {}
        self._changes: list[tuple[str, _File | None]] = []  # of names, since their folder's sync; None removes

    def take(self, entry: Entry) -> None:
        """Follow one step."""
        match entry.operation:
            case "d":
                self._folders[entry.inode] = entry.path
            case "o":
                self._open(entry)
            case "w":
                self._by_inode[entry.inode].unsynced.append((entry.offset, entry.data))
            case "t":
                self._by_inode[entry.inode].unsynced.append((entry.offset, None))
            case "s" if entry.inode in self._folders:
                self._sync_folder(self._folders[entry.inode])
            case "s":
                self._by_inode[entry.inode].sync(entry.data)
            case "r":
                file = self._names.get(entry.path)
                if file is not None:
                    self._change(entry.path, None)
                    self._change(entry.data.decode(), file)
            case "u":
                self._change(entry.path, None)

    def _open(self, entry: Entry) -> None:
        file = self._names.get(entry.path)
        if file is None or self._by_inode.get(entry.inode) is not file:
            file = self._by_inode[entry.inode] = _File()
            self._change(entry.path, file)
        elif entry.offset == 0:  # its length: it was cut, or was empty anyway
            file.unsynced.append((0, None))

    def _change(self, name: str, file: _File | None) -> None:
        if file is None:
            self._names.pop(name, None)
        else:
            self._names[name] = file
        self._changes.append((name, file))

    def _sync_folder(self, folder: str) -> None:
        inside = [change for change in self._changes if str(Path(change[0]).parent) == folder]
        self._changes = [change for change in self._changes if change not in inside]
        for name, file in inside:
            _rename(self._synced_names, name, file)

    def after_power_loss(self, chance: random.Random) -> Iterator[tuple[str, bytes]]:
        """Yield the files, (path, content), that may be found when the power is back."""
        share = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        names = dict(self._synced_names)
        for name, changed in self._changes[: chance.randint(0, len(self._changes))]:
            _rename(names, name, changed)
        for name, file in names.items():
            content = bytearray(file.synced)
            for offset, data in file.unsynced:
                for part_offset, part in _sectors(offset, data):
                    if chance.random() < share:
                        _apply(content, part_offset, part)
            yield name, bytes(content)


def _rename(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def _sectors(offset: int, data: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    if data is None:
        yield offset, None
        return
    at = 0
    while at < len(data):
        length = SECTOR_BYTES - (offset + at) % SECTOR_BYTES
        yield offset + at, data[at : at + length]
        at += length
