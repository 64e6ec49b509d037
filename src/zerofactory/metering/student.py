"""Student's t and Fisher's F: tail probabilities and quantiles, from the regularised incomplete beta function."""

from __future__ import annotations

import math

_TINY = 1e-300
_MAX_STEPS = 500


def beta_fraction(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), 0 ≤ x ≤ 1.

    Continued fraction of Abramowitz and Stegun (1964) 26.5.8, evaluated by the method of Lentz.

    Examples
    --------
    >>> round(beta_fraction(2.0, 3.0, 0.4), 6)  # 1 - 0.6**4 - 4 * 0.4 * 0.6**3
    0.5248
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_fraction(b, a, 1.0 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0) or _TINY)
    value = d
    for m in range(1, _MAX_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d or _TINY)
            c = 1.0 + term / c or _TINY
            value *= c * d
        if abs(1.0 - c * d) < 1e-15:
            break
    return front * value


def t_two_sided(t: float, freedom: float) -> float:
    """Return the probability that |T| exceeds |t|.

    Examples
    --------
    >>> round(t_two_sided(2.228, 10), 3)
    0.05
    """
    return beta_fraction(freedom / 2.0, 0.5, freedom / (freedom + t * t))


def f_upper(f: float, numerator: float, denominator: float) -> float:
    """Return the probability that F exceeds f.

    Examples
    --------
    >>> round(f_upper(3.2850, 1, 10), 4)
    0.1
    """
    return beta_fraction(denominator / 2.0, numerator / 2.0, denominator / (denominator + numerator * max(f, 0.0)))


def t_quantile(confidence_fraction: float, freedom: float) -> float:
    """Return the t that |T| stays below with the given probability.

    Examples
    --------
    >>> round(t_quantile(0.95, 10), 3)
    2.228
    """
    low, high = 0.0, 1.0
    while t_two_sided(high, freedom) > 1.0 - confidence_fraction:
        high *= 2.0
    for _ in range(100):
        middle = (low + high) / 2.0
        if t_two_sided(middle, freedom) > 1.0 - confidence_fraction:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
