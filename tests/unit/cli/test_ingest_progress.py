"""The progress bar is for a person who waits: on a terminal, and not for a moment."""

from __future__ import annotations

import io
import os
import sys

import pytest

from meantime.cli.inspect import ingest_progress


def shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch, quiet_s: float) -> str:
    """Tell some progress while standard error is a terminal, and return what it shows."""
    screen, keyboard = os.openpty()
    os.set_blocking(screen, False)
    with (
        os.fdopen(screen, "rb", buffering=0) as output,
        os.fdopen(keyboard, "w") as stderr,
        monkeypatch.context() as patch,
    ):
        patch.setattr(sys, "stderr", stderr)
        for name, value in {"TERM": "xterm", "COLUMNS": "80"}.items():
            patch.setenv(name, value)
        with ingest_progress(quiet_s) as progress:
            assert progress is not None
            progress("unpack", 0.5)
            progress("read", 0.25)
        stderr.flush()
        return b"".join(iter(lambda: output.read(100_000) or b"", b"")).decode()


def test_nothing_is_told_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with ingest_progress() as progress:
        assert progress is None


def test_a_terminal_shows_each_phase_as_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_on_a_terminal(monkeypatch, quiet_s=0)
    assert shown.index("Unpacking") < shown.index("Reading")


def test_a_short_ingest_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_on_a_terminal(monkeypatch, quiet_s=3600) == ""
