"""The encoder of answers: JSON as it is, or a refusal."""

from __future__ import annotations

import math

import pytest

from meantime.errors import StatisticError
from meantime.statistics.result import encode_answer


def test_keys_keep_their_order_and_null_stays_null() -> None:
    assert encode_answer({"b": 1.5, "a": [None, (2.0,)]}) == b'{"b":1.5,"a":[null,[2.0]]}'


@pytest.mark.parametrize(
    "answer",
    [math.nan, {"mean": math.inf}, [{"low": -math.inf}], {"a": None, "b": (1.0, math.nan)}],
    ids=["nan", "infinity", "in a list", "in a tuple"],
)
def test_a_number_that_json_has_no_word_for_is_refused_rather_than_written_as_null(answer: object) -> None:
    with pytest.raises(StatisticError, match="NaN or an infinity"):
        encode_answer(answer)


@pytest.mark.parametrize("answer", [{1, 2}, {"key": object()}, "\ud800", 2**70], ids=["set", "object", "half", "huge"])
def test_what_json_cannot_hold_is_refused(answer: object) -> None:
    with pytest.raises(StatisticError, match="can't be written as JSON"):
        encode_answer(answer)


def test_an_answer_that_holds_itself_is_refused() -> None:
    answer: list[object] = []
    answer.append(answer)
    with pytest.raises(StatisticError, match="can't be written as JSON"):
        encode_answer(answer)
