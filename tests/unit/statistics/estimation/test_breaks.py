"""Known breaks: where years are cut, and what is said where a comparison crosses one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from meantime.statistics.estimation.breaks import stretches
from tests.asking import ask
from tests.bundled import bundled_cube

ACTIVE = {"question": "Q043", "years": [2023], "locations": ["National", "Ohio"]}
WANTED = "estimates from 2023 on can't be compared with earlier ones, and the difference mixes that"


def cautions_of(name: str, parameters: Mapping[str, object]) -> list[str]:
    found = ask(name, bundled_cube(), parameters)["cautions"]
    assert isinstance(found, list)
    return found


def test_a_comparison_of_years_across_a_break_is_warned_of() -> None:
    assert any(caution.startswith(WANTED) for caution in cautions_of("compare", ACTIVE | {"against_year": 2019}))
    earlier = ACTIVE | {"years": [2019], "against_year": 2017}
    assert not any("can't be compared" in caution for caution in cautions_of("compare", earlier))


def test_a_difference_over_years_on_both_sides_of_a_break_is_warned_of() -> None:
    found = cautions_of("difference", ACTIVE | {"locations": ["Ohio"], "years": [2019, 2023]})
    assert any("estimates from 2023 on can't be compared with earlier ones" in caution for caution in found)


def test_years_are_cut_before_a_break() -> None:
    cut = stretches(np.array([2015, 2017, 2019, 2023]), [2011, 2016, 2023])
    assert cut.number.tolist() == [0, 1, 1, 2]
    assert cut.of(np.array([2014, 2016, 2019, 2024])).tolist() == [0, 1, 1, 2]
    assert stretches(np.array([], dtype=np.intp), [2011]).count == 0
