"""What a server looks at before it reads anything: that the log of events that was asked for can be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meantime.errors import SettingsError
from meantime.serving.claims import check_event_log
from meantime.settings import Settings


@pytest.mark.parametrize("place", ["none/events.log", "folder", "file/events.log", "loop"])
def test_an_event_log_that_nobody_can_write_is_refused_by_its_option(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SettingsError, match=f"--event-log: can't write .*{place}: "):
        check_event_log(Settings(event_log=tmp_path / place))


@pytest.mark.parametrize("place", ["new.log", "old.log", "pipe"])
def test_an_event_log_that_is_there_or_can_be_made_is_left_as_it_is(tmp_path: Path, place: str) -> None:
    (tmp_path / "old.log").write_text("a line\n")
    os.mkfifo(tmp_path / "pipe")  # nobody reads it yet
    check_event_log(Settings(event_log=tmp_path / place))
    assert (tmp_path / "old.log").read_text() == "a line\n"


def test_without_an_event_log_there_is_nothing_to_look_at() -> None:
    check_event_log(Settings())
