"""Rank intervals that hold together: printed quantiles, the naive reference, and how often all of them hold."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from meantime.statistics.estimation.comparisons.joint_ranks import MOST_SIMULATED, RankIntervals, Ranks, ranks
from meantime.statistics.result import Scalar
from meantime.survey.cube.survey_cube import BoolArray, FloatArray
from tests.asking import records_in
from tests.bundled import bundled_cube
from tests.conftest import PROJECT
from tests.reference_ranks import critical_value, rule_of

STUDENTISED_RANGE = {2: 2.772, 3: 3.314, 4: 3.633, 6: 4.030, 8: 4.286, 10: 4.474, 20: 5.012}
"""The 95 % points with infinite degrees of freedom, as tables print them."""

JOINT = (RankIntervals.JOINT, RankIntervals.NON_OVERLAP)


def ranked(value: list[float], error: list[float], level: float = 0.95, kind: str = "joint") -> Ranks:
    return ranks(np.array(value), np.array(error), level=level, kind=kind)


def intervals(found: Ranks) -> list[tuple[int, int]]:
    return list(zip(found.low.tolist(), found.high.tolist(), strict=True))


@pytest.mark.parametrize(("count", "point"), STUDENTISED_RANGE.items())
def test_of_equal_estimates_one_is_told_apart_beyond_the_studentised_range(count: int, point: float) -> None:
    equal = [30.0] * (count - 1)
    assert intervals(ranked([*equal, 30 + 0.97 * point], [1.0] * count))[-1] == (1, count)
    assert intervals(ranked([*equal, 30 + 1.03 * point], [1.0] * count))[-1] == (count, count)


@pytest.mark.parametrize("level", [0.6, 0.95, 0.99])
def test_sets_are_those_of_the_naive_reference(level: float) -> None:
    chance = random.Random(7)
    for _ in range(8):
        count = chance.randint(2, 6)
        value = sorted(round(chance.uniform(20, 30), 1) for _ in range(count))
        # From nearly alike to so unequal that one estimate alone decides; 0 is no error at all.
        error = [round(chance.uniform(0.2, 2.0) ** chance.randint(1, 6), 2) * (chance.random() < 0.9) for _ in value]
        assert ranked(value, error, level).critical_value == pytest.approx(
            critical_value(value, error, level), rel=1e-5
        )
        for kind in RankIntervals:
            apart = rule_of(kind, value, error, level)
            expected = [
                (
                    1 + sum(apart(one, other) and value[other] < value[one] for other in range(count)),
                    count - sum(apart(one, other) and value[other] > value[one] for other in range(count)),
                )
                for one in range(count)
            ]
            assert intervals(ranked(value, error, level, kind)) == expected


def test_what_is_told_apart_first_makes_the_rest_easier() -> None:
    # All four at once need 3.633 / sqrt(2) = 2.57 standard errors; those that are left, fewer.
    assert intervals(ranked([10.0, 13.5, 500.0, 500.0], [1.0] * 4))[:2] == [(1, 1), (2, 2)]
    assert intervals(ranked([10.0, 13.5, 13.5, 13.5], [1.0] * 4))[0] == (1, 4)


@pytest.mark.parametrize("kind", JOINT)
def test_joint_intervals_contain_the_pairwise_ones_and_those_of_lower_levels(kind: str) -> None:
    chance = random.Random(3)
    for _ in range(20):
        value = sorted(chance.gauss(30, 2) for _ in range(9))
        error = [chance.uniform(0.2, 1.5) for _ in value]
        nested = [ranked(value, error, 0.95, "pairwise")]
        nested += [ranked(value, error, level, kind) for level in (0.95, 0.99, 0.996, 0.998, 0.9999)]
        for narrow, wide in pairwise(nested):
            assert (wide.low <= narrow.low).all()
            assert (wide.high >= narrow.high).all()


@pytest.mark.parametrize("kind", RankIntervals)
def test_counted_from_the_other_end_the_intervals_are_mirrored(kind: str) -> None:
    value, error = [20.0, 22.0, 22.0, 23.9, 27.0], [0.5, 0.7, 1.4, 0.3, 2.0]
    forward, backward = ranked(value, error, kind=kind), ranked(value[::-1], error[::-1], kind=kind)
    assert intervals(forward) == [(6 - high, 6 - low) for low, high in reversed(intervals(backward))]


def test_tied_estimates_in_any_order_have_the_same_answer() -> None:
    first = ranked([20.0, 22.0, 22.0, 25.0], [0.5, 0.2, 1.4, 0.4])
    second = ranked([20.0, 22.0, 22.0, 25.0], [0.5, 1.4, 0.2, 0.4])
    assert intervals(first) == [intervals(second)[place] for place in (0, 2, 1, 3)]
    assert (first.critical_value, first.method) == (second.critical_value, second.method)


def test_the_method_names_the_seed_and_the_critical_value() -> None:
    found = ranked([20.0, 22.0], [0.5, 0.5])
    assert found.method.endswith(f"critical value {found.critical_value:.3f} by 4,000 draws, seed 20260101")


@pytest.mark.parametrize("kind", RankIntervals)
def test_an_estimate_without_an_error_may_have_any_rank(kind: str) -> None:
    assert intervals(ranked([10.0, 20.0, 30.0], [0.1, math.nan, 0.1], kind=kind)) == [(1, 2), (1, 3), (2, 3)]


@pytest.mark.parametrize("kind", RankIntervals)
def test_estimates_without_any_uncertainty_have_their_ranks(kind: str) -> None:
    assert intervals(ranked([0.1 + 0.2, 0.3, 0.5], [0.0] * 3, kind=kind)) == [(1, 2), (1, 2), (3, 3)]
    assert intervals(ranked([0.5], [0.1], kind=kind)) == [(1, 1)]


def test_more_estimates_than_are_simulated_go_by_bonferroni() -> None:
    count = MOST_SIMULATED + 1
    found = ranked([30.0] * count, [1.0] * count)
    assert found.method.endswith(f"by Bonferroni over {count * (count - 1)} one-sided tests")
    assert found.critical_value > ranked([30.0] * (count - 1), [1.0] * (count - 1)).critical_value


def test_a_cancelled_job_stops_in_the_midst() -> None:
    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        ranks(np.array([1.0, 2.0, 3.0]), np.ones(3), level=0.95, checkpoint=stop)


# ---- how often all intervals hold -------------------------------------------------------------------------------

REPEATS = 1000


def coverage(value: FloatArray, error: FloatArray, chance: np.random.Generator) -> dict[str, float]:
    """Return how often all intervals hold the true ranks, if the published values are the truth."""
    count = len(value)
    # The smallest critical value is that of estimates that are all told apart; others' draws differ by chance alone.
    smallest = ranks(1e4 * np.arange(count, dtype=np.float64), error, level=0.95).critical_value - 0.2
    z = {RankIntervals.PAIRWISE: ranks(value, error, level=0.95, kind="pairwise").critical_value}
    bonferroni = ranks(value, error, level=0.95, kind="non_overlap").critical_value
    held = dict.fromkeys(RankIntervals, 0)
    ahead = value[:, None] - value[None, :] < -5e-10
    combined, summed = np.hypot(error[:, None], error[None, :]), error[:, None] + error[None, :]
    for _ in range(REPEATS):
        drawn = value + error * chance.standard_normal(count)
        excess = drawn[:, None] - drawn[None, :]
        held[RankIntervals.PAIRWISE] += _hold(ahead, excess > z[RankIntervals.PAIRWISE] * combined)
        held[RankIntervals.NON_OVERLAP] += _hold(ahead, excess > bonferroni * summed)
        if _hold(ahead, excess > smallest * combined):
            held[RankIntervals.JOINT] += 1
            continue
        order = np.argsort(drawn, kind="stable")
        found = ranks(drawn[order], error[order], level=0.95)
        above = np.empty((count, count), dtype=np.bool_)
        above[np.ix_(order, order)] = found.different & np.tri(count, k=-1, dtype=np.bool_)
        held[RankIntervals.JOINT] += _hold(ahead, above)
    return {kind: number / REPEATS for kind, number in held.items()}


def _hold(ahead: BoolArray, above: BoolArray) -> bool:
    """Return whether all ranks are in their intervals; ``above[a, b]``: a is surely behind b."""
    count = len(ahead)
    rank, low, high = 1 + ahead.sum(axis=0), 1 + above.sum(axis=1), count - above.sum(axis=0)
    return bool(((low <= rank) & (rank <= high)).all())


def question_years() -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield the estimates of states and territories and their standard errors, of each question in each year."""
    cube = bundled_cube()
    for question in cube.questions:
        every = {"question": question.text, "years": {"from": 2011}, "by": ["location", "year"], "scale": "linear"}
        found: dict[Scalar, list[tuple[Scalar, Scalar]]] = {}
        for one in records_in("mean", cube, every | {"include": ["states", "territories"]}):
            if one["value"] is not None:
                found.setdefault(one["year"], []).append((one["value"], one["standard_error"]))
        for known in found.values():
            value, error = np.array(known, dtype=np.float64).T
            yield value, error


@pytest.mark.slow
def test_all_intervals_hold_in_95_of_100_simulated_surveys_of_each_question_year() -> None:
    chance = np.random.default_rng(11)
    found = [coverage(value, error, chance) for value, error in question_years()]
    equal = coverage(np.full(52, 30.0), list(question_years())[-1][1][:52], chance)
    assert len(found) == 69
    page = (PROJECT / "docs" / "methods" / "ranking.md").read_text(encoding="utf-8")
    for kind in RankIntervals:
        held = sorted(one[kind] for one in found)
        assert kind == RankIntervals.PAIRWISE or min(*held, equal[kind]) >= 0.95
        assert f"| `{kind}` | {held[0]:.3f} | {held[34]:.3f} | {held[-1]:.3f} | {equal[kind]:.3f} |" in page
