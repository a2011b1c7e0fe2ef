"""What `python -m benchmarks` prints in the end: every figure there is, whatever is missed or breaks off."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from benchmarks.__main__ import report
from benchmarks.figures import Figure
from benchmarks.load import LoadError

REACHED = Figure("start", 1.4, "s", 1.5)
MISSED = Figure("ratio", 0.4, "", 0.5, at_least=True)


def test_a_missed_goal_is_named_and_the_table_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([REACHED, MISSED], as_json=False) == ["ratio"]
    table = capsys.readouterr().out
    assert "start" in table
    assert "ratio" in table


def test_what_was_measured_before_a_server_broke_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    def measured() -> Iterator[Figure]:
        yield REACHED
        raise LoadError("wrong answer")

    with pytest.raises(LoadError):
        report(measured(), as_json=True)
    (figure,) = orjson.loads(capsys.readouterr().out)
    assert figure["name"] == "start"
