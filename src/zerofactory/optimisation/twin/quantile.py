"""Quantiles of spreads that have no closed form, compiled: normal, normal above zero, gamma; and the triangle."""

from __future__ import annotations

import math

from numba import njit

TERMS = 4000  # of a series; the largest shape that is let in (line.MOST_SHAPE) needs a few hundred
EXACT = 1e-15  # relative: where a series or a correction changes nothing any more
STEPS = 24  # corrections of a quantile; four are usual


@njit(cache=True, nogil=True)
def normal(u: float) -> float:
    """Return the standard normal quantile (Acklam's rational approximation, relative error 1.2e-9)."""
    if u < 0.02425:
        q = math.sqrt(-2.0 * math.log(u))
        return (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q - 2.549732539343734) * q + 4.374664141464968) * q + 2.938163982698783) / ((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1.0)  # fmt: skip
    if u > 1.0 - 0.02425:
        return -float(normal(1.0 - u))
    q = u - 0.5
    r = q * q
    return (((((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239) * q / (((((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0)  # fmt: skip


@njit(cache=True, nogil=True)
def normal_above_zero(mean: float, deviation: float, u: float) -> float:
    """Return the quantile ``u`` of a normal spread of which what lies below zero is cut off.

    >>> round(normal_above_zero(60.0, 5.0, 0.5), 6)
    60.0
    """
    if deviation <= 0.0:
        return mean
    above = 0.5 * math.erfc(-mean / deviation / math.sqrt(2.0))  # what is left of it
    tail = (1.0 - u) * above
    return max(mean - deviation * float(normal(tail)), 0.0)


@njit(cache=True, nogil=True)
def triangle(low: float, high: float, mode: float, u: float) -> float:
    """Return the quantile ``u`` of a triangular spread.

    >>> [round(triangle(0.0, 4.0, 1.0, u), 6) for u in (0.25, 0.75)]
    [1.0, 2.267949]
    """
    width = high - low
    if width <= 0.0:
        return low
    if u * width < mode - low:
        return low + math.sqrt(u * width * (mode - low))
    return high - math.sqrt((1.0 - u) * width * (high - mode))


@njit(cache=True, nogil=True)
def gamma_below(shape: float, x: float) -> tuple[float, float]:
    """Return P and Q = 1 − P of a gamma spread of scale 1, each to full relative accuracy where it is the smaller.

    The series of DLMF 8.7.1 below shape + 1, the continued fraction of DLMF 8.9.2 (by Lentz's way) above.

    >>> p, q = gamma_below(2.0, 1.0)
    >>> round(p, 12), round(q, 12)
    (0.264241117657, 0.735758882343)
    """
    if x <= 0.0:
        return 0.0, 1.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1.0:
        term = 1.0 / shape
        total = term
        for n in range(1, TERMS):
            term *= x / (shape + n)
            total += term
            if term < total * EXACT:
                break
        return front * total, 1.0 - front * total
    b = x + 1.0 - shape
    c, d = 1e300, 1.0 / b
    found = d
    for n in range(1, TERMS):
        a = -n * (n - shape)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        found *= c * d
        if abs(c * d - 1.0) < EXACT:
            break
    return 1.0 - front * found, front * found


@njit(cache=True, nogil=True)
def gamma(shape: float, u: float) -> float:
    """Return the quantile ``u`` of a gamma spread of scale 1 (Erlang where ``shape`` is whole).

    Begins with Wilson and Hilferty's cube (Abramowitz and Stegun 26.4.17), below shape 1 with the power of the lower end, and
    corrects by Halley's step until nothing changes.

    >>> round(gamma(1.0, 0.5), 12), round(gamma(3.0, 0.9), 9)
    (0.69314718056, 5.322320338)
    """
    if shape > 1.0:
        third = 1.0 / (9.0 * shape)
        x = max(shape * (1.0 - third + float(normal(u)) * math.sqrt(third)) ** 3, 1e-3 * shape)
    else:
        edge = 1.0 - shape * (0.253 + 0.12 * shape)
        x = (u / edge) ** (1.0 / shape) if u < edge else 1.0 - math.log((1.0 - u) / (1.0 - edge))
    log_norm = math.lgamma(shape)
    for _ in range(STEPS):
        if x <= 0.0:
            return 0.0
        below, above = gamma_below(shape, x)
        wrong = below - u if u < 0.5 else (1.0 - u) - above
        density = math.exp((shape - 1.0) * math.log(x) - x - log_norm)
        if density <= 0.0:
            return x
        newton = wrong / density
        step = newton / (1.0 - 0.5 * min(1.0, newton * ((shape - 1.0) / x - 1.0)))
        x = 0.5 * x if step >= x else x - step
        if abs(step) < 1e-12 * x:
            break
    return x
