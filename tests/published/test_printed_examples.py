"""Worked examples that textbooks, papers and manuals print, each with its source."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meantime.statistics.estimation.inequality.gaps import StratumEstimate
from meantime.statistics.estimation.inequality.summaries import slope_index
from meantime.statistics.estimation.series.lines import fit_lines
from meantime.statistics.measures.correlation import average_ranks, fisher_interval, fisher_p, pearson
from meantime.statistics.measures.distribution import sorted_quantiles

ANSCOMBE_X = np.array([10.0, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5])
ANSCOMBE_Y = np.array([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68])
"""F. J. Anscombe, Graphs in statistical analysis, American Statistician 27, 1973, first data set."""


def test_pearson_is_that_of_anscombes_first_data_set() -> None:
    assert pearson(ANSCOMBE_X, ANSCOMBE_Y) == pytest.approx(0.816, abs=0.0005)


def test_the_slope_with_equal_errors_is_that_of_anscombes_first_data_set() -> None:
    """Printed: y = 3 + 0.5 x, residual sum of squares 13.75 on 9 degrees of freedom, sum of squares of x 110."""
    error = np.ones(11)
    lines = fit_lines(np.zeros(11, dtype=np.intp), ANSCOMBE_X, ANSCOMBE_Y, error, 1)
    assert lines.slope[0] == pytest.approx(0.500, abs=0.0005)
    assert lines.residual_ratio[0] == pytest.approx(13.75 / 9, abs=0.002)
    assert lines.widened_by[0] == pytest.approx(math.sqrt(13.75 / 9), abs=0.001)
    assert lines.standard_error[0] == pytest.approx(0.118, abs=0.0005)  # as printed, from the scatter
    assert lines.year_count[0] == 11


def test_spearman_is_that_of_the_example_of_hours_of_television() -> None:
    """Wikipedia, Spearman's rank correlation coefficient, example: rho = -29/165."""
    quotient = np.array([106.0, 86, 100, 101, 99, 103, 97, 113, 112, 110])
    hours = np.array([7.0, 2, 27, 50, 28, 29, 20, 12, 6, 17])
    found = pearson(average_ranks(quotient), average_ranks(hours))
    assert found == pytest.approx(-29 / 165)


@pytest.mark.parametrize(("r", "z"), [(0.1, 0.1003), (0.5, 0.5493), (0.9, 1.4722)])
def test_fishers_interval_is_about_the_z_of_his_printed_table(r: float, z: float) -> None:
    """R. A. Fisher, Statistical Methods for Research Workers, table V (B): r for values of z."""
    low, high = fisher_interval(r, 28, level=0.95)
    assert low is not None
    assert high is not None
    assert (math.atanh(low) + math.atanh(high)) / 2 == pytest.approx(z, abs=0.00005)
    assert (math.atanh(high) - math.atanh(low)) / 2 == pytest.approx(1.959964 / 5)
    assert fisher_p(r, 28) == pytest.approx(math.erfc(z * 5 / math.sqrt(2)), rel=0.01)


@pytest.mark.parametrize(("fraction", "value"), [(0.0, 1.0), (0.25, 3.25), (0.5, 5.5), (0.75, 7.75), (1.0, 10.0)])
def test_quantiles_are_those_that_r_prints_for_1_to_10(fraction: float, value: float) -> None:
    """R, quantile(1:10), type 7, which is definition 7 of Hyndman and Fan 1996."""
    run = np.arange(1.0, 11.0)
    found = sorted_quantiles(run, np.array([0]), np.array([10]), fraction)
    assert found.tolist() == pytest.approx([value])


def test_the_slope_index_is_that_of_five_equal_groups() -> None:
    """Manual of the R package dceasimR, calc_sii: healthy life of 60 to 72 years in fifths, SII 15, RII 0.2272727."""
    groups = [StratumEstimate(str(years), float(years), None, 20.0) for years in (60, 63, 66, 69, 72)]
    found = slope_index(groups, [0.2] * 5)
    assert found is not None
    assert found.slope == pytest.approx(15)
    assert found.relative == pytest.approx(0.2272727, abs=5e-8)
    assert found.standard_error is None
