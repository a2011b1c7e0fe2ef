"""Numbers written in any way: read as what they mean, or refused; never as another number than the texts allow.

The reference is the number that a text was written from.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import example, given, settings

from meantime.survey.reading.forms.number_forms import NumberColumn, UndecidedNumbersError, derive_number_form
from tests.unit.survey.conftest import quiet_end
from tests.unit.survey.tables import csv_text, read, written

__all__ = ["quiet_end"]

PLAIN = re.compile(r"[-\u2212]?\d+(\.\d+)? ?%?")


@dataclass(frozen=True)
class Way:
    """A way to write numbers."""

    decimal: str
    thousands: str
    sign: str
    percent: str

    def text(self, thousandths: int, decimals: int) -> str:
        """Write a number of thousandths with some decimals."""
        whole, rest = divmod(abs(thousandths), 1000)
        text = f"{whole:,}".replace(",", self.thousands)
        if decimals:
            text += self.decimal + f"{rest:03d}"[:decimals]
        return (self.sign if thousandths < 0 else "") + text + self.percent


def meant(thousandths: int, decimals: int) -> float:
    """Return the number that is left of some thousandths when only some decimals are written."""
    whole, rest = divmod(abs(thousandths), 1000)
    number = float(f"{whole}.{f'{rest:03d}'[:decimals] or '0'}")
    return -number if thousandths < 0 else number


WAYS = st.builds(
    Way,
    decimal=st.sampled_from([".", ","]),
    thousands=st.sampled_from(["", "", ",", ".", " ", "\u00a0", "'", "\u2019"]),
    sign=st.sampled_from(["-", "\u2212"]),
    percent=st.sampled_from(["", "", "%", " %"]),
).filter(lambda way: way.decimal != way.thousands)
NUMBERS = st.tuples(st.integers(-9_999_999, 9_999_999), st.integers(0, 3))
DOTS = Way(".", ",", "-", "")
COMMAS = Way(",", ".", "-", "")


@settings(max_examples=400)
@given(WAYS, st.lists(NUMBERS, min_size=1, max_size=8))
@example(COMMAS, [(1_234_000, 0), (20_800, 1)])
@example(COMMAS, [(1_234_000, 0), (5_678, 3)])
def test_unstated_numbers_mean_what_was_written_or_are_undecided_or_plain(
    way: Way, numbers: list[tuple[int, int]]
) -> None:
    texts = [way.text(*number) for number in numbers]
    if all(PLAIN.fullmatch(text) for text in texts):
        expected = [float(text.rstrip("% ").replace("\u2212", "-")) for text in texts]
    else:
        expected = [meant(*number) for number in numbers]
    try:
        form = derive_number_form([NumberColumn("a", texts)])
    except UndecidedNumbersError:
        return
    assert [form.number(text) for text in texts] == expected


@settings(max_examples=400)
@given(WAYS, st.lists(NUMBERS, min_size=1, max_size=8))
@example(COMMAS, [(1_234_000, 0)])
@example(DOTS, [(1_234_000, 0), (5_000, 0)])
def test_what_a_mapping_states_means_what_was_written(way: Way, numbers: list[tuple[int, int]]) -> None:
    texts = [way.text(*number) for number in numbers]
    form = derive_number_form([NumberColumn("a", texts)], way.decimal, way.thousands)
    assert [form.number(text) for text in texts] == [meant(*number) for number in numbers]


@settings(max_examples=8)
@given(WAYS, st.lists(NUMBERS, min_size=20, max_size=60))
def test_an_engine_reads_what_python_reads(way: Way, numbers: list[tuple[int, int]]) -> None:
    lines = [f"Q;L{place:03d};2020;{way.text(*number)}" for place, number in enumerate(numbers)]
    thousands = f'thousands = "{way.thousands}"' if way.thousands in {",", ".", " ", "'"} else ""
    with tempfile.TemporaryDirectory() as folder:
        source = written(Path(folder), csv_text(lines, ["Question;LocationDesc;YearStart;Data_Value"]))
        cube, _ = read(source, f'[file]\ndecimal = "{way.decimal}"\n{thousands}')
    assert cube.cells.value_sum.tolist() == [meant(*number) for number in numbers]
