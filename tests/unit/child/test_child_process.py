"""Errands in a process of their own: what comes back, what an end without an answer is, and that no child is left."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from meantime.child.child_process import ChildProcess
from meantime.errors import DataChangedError, DataError
from tests.unit.child import errands

PROJECT = Path(__file__).parents[3]
WAIT_LIMIT_S = 20.0


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a child find this folder's errands."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


def children_of_this_process() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def test_an_errand_tells_its_progress_and_what_it_returns_comes_back() -> None:
    told: list[tuple[str, float]] = []
    found = ChildProcess("numbers").run(errands.add, lambda *what: told.append(what), [1, 2], name="sum")
    assert found == {"sum": 3}
    assert told == [("add", 0.5), ("add", 1.0)]


def test_arguments_larger_than_a_pipe_holds_arrive() -> None:
    numbers = list(range(100_000))
    assert ChildProcess("numbers").run(errands.add, None, numbers, name="sum") == {"sum": sum(numbers)}


@pytest.mark.parametrize("is_changed", [True, False])
def test_what_an_errand_refuses_is_raised_again_with_its_words_and_settings(is_changed: bool) -> None:
    with pytest.raises(DataError, match="^the table is odd$") as caught:
        ChildProcess("a.csv").run(errands.refuse, None, is_changed=is_changed)
    assert type(caught.value) is (DataChangedError if is_changed else DataError)
    assert caught.value.settings == (("file", "footer = 2"),)


def test_any_other_error_is_one_line_and_its_traceback_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(DataError) as caught:
        ChildProcess("a.csv").run(errands.crash, None)
    assert str(caught.value) == "a.csv: the child process failed: ZeroDivisionError: seven by nothing"
    assert "Traceback" in caplog.text


def test_a_child_without_memory_says_so() -> None:
    with pytest.raises(DataError, match=r"^a\.csv: the child process failed: not enough memory$"):
        ChildProcess("a.csv").run(errands.run_out_of_memory, None)


def test_a_child_that_ends_without_an_answer_is_an_error_with_its_last_words() -> None:
    with pytest.raises(DataError, match=r"^a\.csv: the child process ended with status 3 before .*: last words$"):
        ChildProcess("a.csv").run(errands.end_at_once, None, 3)


def test_a_child_that_prints_more_than_a_pipe_holds_is_not_stuck() -> None:
    assert ChildProcess("a.csv").run(errands.print_much, None, 300_000) == 300_000


def test_what_a_library_prints_is_no_part_of_the_answer() -> None:
    assert ChildProcess("a.csv").run(errands.print_words, None) == "done"


def test_a_killed_child_is_an_error_that_names_the_signal() -> None:
    def kill(_phase: str, _part: float) -> None:
        for child in children_of_this_process():
            os.kill(child, signal.SIGKILL)

    with pytest.raises(DataError, match=r"^a\.csv: the child process was ended by SIGKILL; perhaps memory ran out$"):
        ChildProcess("a.csv").run(errands.wait_for_ever, kill)


def test_an_errand_that_takes_longer_than_its_limit_is_ended() -> None:
    with pytest.raises(DataError, match=r"^a\.csv: took longer than 0\.01 s$"):
        ChildProcess("a.csv", time_limit_s=0.01).run(errands.wait_for_ever, None)


def test_a_child_that_is_cancelled_ends_and_no_other_is_started() -> None:
    child = ChildProcess("a.csv")
    for _ in range(2):
        with pytest.raises(DataError, match=r"^a\.csv: cancelled before it was done$"):
            child.run(errands.wait_for_ever, lambda _phase, _part: child.cancel())
    assert children_of_this_process() == set()


def test_an_error_of_the_one_who_hears_the_progress_ends_the_child() -> None:
    def fail(_phase: str, _part: float) -> None:
        raise KeyError("told")

    with pytest.raises(KeyError, match="told"):
        ChildProcess("a.csv").run(errands.wait_for_ever, fail)
    assert children_of_this_process() == set()


def test_a_child_ends_when_its_standard_input_is_closed() -> None:
    command = [sys.executable, "-m", "meantime.child", f"{errands.__name__}:wait_for_ever"]
    request = json.dumps({"args": [], "kwargs": {}, "time_limit_s": None}).encode() + b"\n"
    environment = os.environ | {"PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment) as child:
        try:
            child.communicate(request, timeout=WAIT_LIMIT_S)
        finally:
            child.kill()
    assert child.returncode == 1


def test_an_interrupt_of_the_whole_group_is_the_parent_s_to_act_on() -> None:
    def interrupt(_phase: str, _part: float) -> None:
        for child in children_of_this_process():
            os.kill(child, signal.SIGINT)
            os.kill(child, signal.SIGTERM)

    with pytest.raises(DataError, match="ended by SIGTERM"):
        ChildProcess("a.csv").run(errands.wait_for_ever, interrupt)


@pytest.mark.parametrize("limit", [resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE], ids=["descriptors", "space"])
def test_a_child_that_cannot_be_started_is_said_in_words(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)  # found anew, by writing a file
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (0, before[1]))
    try:
        with pytest.raises(DataError, match=r"^a\.csv: no process can be started for it: \w+ .*"):
            ChildProcess("a.csv").run(errands.add, None, [1], name="sum")
    finally:
        resource.setrlimit(limit, before)
