"""The mark in its file: what is written, what is believed, what a kill leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from meantime.jobs.sqlite.high_water_mark import HighWaterMark


def test_a_raised_mark_is_in_the_file_for_a_person_to_read(tmp_path: Path) -> None:
    mark = HighWaterMark(tmp_path / "mark")
    mark.write(7)
    mark.open()
    mark.raise_to(2**53 - 1)
    mark.sync()
    assert mark.path.read_text() == "9007199254740991\n"
    mark.close()
    mark.close()
    assert mark.read() == 2**53 - 1
    assert mark.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"7\n", b"000000000000000x\n", b"0000000000000007\n\n", b"\xff" * 17])
def test_what_is_no_mark_is_not_believed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mark").write_bytes(content)
    assert HighWaterMark(tmp_path / "mark").read() is None


def test_a_missing_mark_is_none(tmp_path: Path) -> None:
    assert HighWaterMark(tmp_path / "mark").read() is None


def test_a_kill_right_after_raising_leaves_the_mark_raised(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys\n"
        "from meantime.jobs.sqlite.high_water_mark import HighWaterMark\n"
        "mark = HighWaterMark(pathlib.Path(sys.argv[1]))\n"
        "mark.write(0)\n"
        "mark.open()\n"
        "mark.raise_to(41)\n"
        "mark.raise_to(42)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "mark")], check=False)
    assert killed.returncode == -9
    assert HighWaterMark(tmp_path / "mark").read() == 42
