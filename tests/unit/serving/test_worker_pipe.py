"""What goes over the pipe between the processes: commands are done one after the other, whatever one of them raises."""

from __future__ import annotations

import multiprocessing

import pytest

from meantime.serving.worker_pipe import DRAIN, ENDED, RELOAD, last_words, obey


def test_commands_are_done_until_the_other_end_is_closed() -> None:
    main_end, worker_end = multiprocessing.Pipe()
    done: list[str] = []
    for word in (RELOAD, RELOAD, DRAIN):
        main_end.send_bytes(word)
    main_end.close()
    obey(worker_end, {DRAIN: lambda: done.append("drain"), RELOAD: lambda: done.append("reload")})
    worker_end.close()
    assert done == ["reload", "reload", "drain"]


def test_a_command_that_fails_or_is_unknown_is_logged_and_the_next_one_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise RuntimeError("can't start new thread")

    main_end, worker_end = multiprocessing.Pipe()
    done: list[str] = []
    for word in (RELOAD, b"\xff", DRAIN):
        main_end.send_bytes(word)
    main_end.close()
    obey(worker_end, {DRAIN: lambda: done.append("drain"), RELOAD: fail})
    worker_end.close()
    assert done == ["drain"]
    assert "can't start new thread" in caplog.text
    assert len(caplog.records) == 2


def test_a_pipe_that_is_out_of_step_has_ended() -> None:
    main_end, worker_end = multiprocessing.Pipe()
    main_end.send_bytes(b"drain" * 1000)
    obey(worker_end, {DRAIN: lambda: None})  # waits for ever if it takes that for a word
    for end in (main_end, worker_end):
        end.close()


def test_the_last_words_are_read_when_the_one_who_said_them_is_gone() -> None:
    main_end, worker_end = multiprocessing.Pipe()
    worker_end.send_bytes(b"something else")
    worker_end.send_bytes(ENDED)
    worker_end.close()
    assert last_words(main_end) == ENDED
    assert last_words(main_end) == b""
    main_end.close()
