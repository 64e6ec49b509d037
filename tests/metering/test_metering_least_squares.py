"""Least squares against certified values: NIST Statistical Reference Datasets, Norris (lower) and Longley (higher difficulty)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from zerofactory.errors import Misuse
from zerofactory.metering.least_squares import least_squares
from zerofactory.metering.student import f_upper, t_quantile, t_two_sided

# https://www.itl.nist.gov/div898/strd/lls/data/Norris.shtml
NORRIS = np.fromstring(
    """0.1 0.2 338.8 337.4 118.1 118.2 888.0 884.6 9.2 10.1 228.1 226.5 668.5 666.3 998.5 996.3 449.1 448.6 778.9 777.0
    559.2 558.2 0.3 0.4 0.1 0.6 778.1 775.5 668.8 666.9 339.3 338.0 448.9 447.5 10.8 11.6 557.7 556.0 228.3 228.1 998.0 995.8
    888.8 887.6 119.6 120.2 0.3 0.3 0.6 0.3 557.6 556.8 339.3 339.1 888.0 887.2 998.5 999.0 778.9 779.0 10.2 11.1 117.6 118.3
    228.9 229.2 668.4 669.1 449.2 448.9 0.2 0.5""",
    sep=" ",
).reshape(-1, 2)
# https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml
LONGLEY = np.fromstring(
    """60323 83.0 234289 2356 1590 107608 1947  61122 88.5 259426 2325 1456 108632 1948  60171 88.2 258054 3682 1616 109773 1949
    61187 89.5 284599 3351 1650 110929 1950  63221 96.2 328975 2099 3099 112075 1951  63639 98.1 346999 1932 3594 113270 1952
    64989 99.0 365385 1870 3547 115094 1953  63761 100.0 363112 3578 3350 116219 1954  66019 101.2 397469 2904 3048 117388 1955
    67857 104.6 419180 2822 2857 118734 1956  68169 108.4 442769 2936 2798 120445 1957  66513 110.8 444546 4681 2637 121950 1958
    68655 112.6 482704 3813 2552 123366 1959  69564 114.2 502601 3931 2514 125368 1960  69331 115.7 518173 4806 2572 127852 1961
    70551 116.9 554894 4007 2827 130081 1962""",
    sep=" ",
).reshape(-1, 7)


def test_norris_as_certified() -> None:
    fit = least_squares(NORRIS[:, 0], NORRIS[:, 1:], ["x"])
    assert fit.coefficients == pytest.approx([-0.262323073774029, 1.00211681802045], rel=1e-11)
    assert fit.standard_errors == pytest.approx([0.232818234301152, 0.429796848199937e-03], rel=1e-11)
    assert fit.residual_sd == pytest.approx(0.884796396144373, rel=1e-11)
    assert fit.r2 == pytest.approx(0.999993745883712, rel=1e-12)
    assert fit.freedom == 34
    assert fit.f == pytest.approx(5436385.54079785, rel=1e-8)


def test_longley_as_certified() -> None:
    fit = least_squares(LONGLEY[:, 0], LONGLEY[:, 1:], ["x1", "x2", "x3", "x4", "x5", "x6"])
    certified = [-3482258.63459582, 15.0618722713733, -0.358191792925910e-01, -2.02022980381683, -1.03322686717359, -0.511041056535807e-01, 1829.15146461355]  # fmt: skip
    assert fit.coefficients == pytest.approx(certified, rel=1e-9)
    errors = [890420.383607373, 84.9149257747669, 0.334910077722432e-01, 0.488399681651699, 0.214274163161675, 0.226073200069370, 455.478499142212]  # fmt: skip
    assert fit.standard_errors == pytest.approx(errors, rel=1e-9)
    assert fit.residual_sd == pytest.approx(304.854073561965, rel=1e-10)
    assert fit.r2 == pytest.approx(0.995479004577296, rel=1e-12)


@pytest.mark.parametrize(("variables", "critical"), [(1, 3.2850), (2, 3.0065), (3, 2.9238), (4, 2.9605), (5, 3.1075)])
def test_f_of_a_twelve_month_baseline_as_published(variables: int, critical: float) -> None:
    """Critical F at 10 % for twelve months: enpilite.lbl.gov, valid model requirements."""
    assert f_upper(critical, variables, 12 - variables - 1) == pytest.approx(0.10, abs=2e-5)


@pytest.mark.parametrize("freedom", [1, 2, 5.5, 30, 1000])
@pytest.mark.parametrize("t", [0.0, 0.3, 2.0, 9.0])
def test_t_agrees_with_scipy(freedom: float, t: float) -> None:
    assert t_two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-9)
    assert t_quantile(0.95, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_the_error_of_a_sum_is_that_of_one_prediction_for_one() -> None:
    fit = least_squares(NORRIS[:, 0], NORRIS[:, 1:], ["x"])
    x = 500.0
    centred = NORRIS[:, 1] - NORRIS[:, 1].mean()
    textbook = fit.residual_sd * np.sqrt(1 + 1 / 36 + (x - NORRIS[:, 1].mean()) ** 2 / (centred**2).sum())
    rho = max(fit.autocorrelation, 0.0)
    error, _ = fit.sum_error(np.array([[x]]))
    assert error == pytest.approx(textbook * np.sqrt((1 + rho) / (1 - rho)), rel=1e-12)


def test_what_cannot_be_fitted_is_refused() -> None:
    y = np.arange(6.0)
    with pytest.raises(Misuse, match="combination"):
        least_squares(y, np.column_stack([y, 2 * y + 1]), ["a", "b"])
    with pytest.raises(Misuse, match="vary"):
        least_squares(y, np.ones((6, 1)), ["a"])
    with pytest.raises(Misuse, match="observations"):
        least_squares(y[:2], y[:2, None], ["a"])
