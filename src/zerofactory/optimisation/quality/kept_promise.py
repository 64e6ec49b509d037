"""Does a judge keep what it promised? Escapes and false rejects from parts that people have looked at, with bounds that hold.

    of all good parts, rejected: r·g / (r·g + (1 − r)(1 − b))        r: share rejected, g: good among the rejected
    of all bad parts, passed:    (1 − r)·b / ((1 − r)·b + r(1 − g))  b: bad among the passed

(Bayes' rule.) Each share has its exact one-sided bound (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404), each at a third of the
chance of error; both rates grow with g and b, the first with r and the second against it, so the bounds put in give a bound of the rate.
Rejected parts are not drawn: people look at the doubtful ones first, which are good more often. So for the bound of g those that nobody
has looked at count as bad.
"""

from __future__ import annotations

from dataclasses import dataclass

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.measure import rate


@dataclass(frozen=True, slots=True)
class Looked:
    """Counts of parts: judged, and of those the ones that people looked at.

    Parameters
    ----------
    passed, rejected : by the judge.
    passed_seen, passed_bad : drawn at random among the passed and looked at; of those the bad ones.
    rejected_seen, rejected_good : looked at among the rejected; of those the good ones.
    """

    passed: int
    rejected: int
    passed_seen: int
    passed_bad: int
    rejected_seen: int
    rejected_good: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A rate as it is estimated, and the value it is not below but for the chance of error."""

    value: float
    low: float


def false_rejects(seen: Looked, error_fraction: float) -> AtLeast | None:
    """Return which share of the good parts is rejected; None until rejected parts have been looked at.

    Where no passed part has been looked at, all passed ones count as good.

    Examples
    --------
    >>> found = false_rejects(Looked(900, 100, 20, 0, 100, 80), 0.01)
    >>> round(found.value, 4), round(found.low, 4)
    (0.0816, 0.0523)
    """
    if not seen.rejected_seen:
        return None
    good, bad, rejected = _shares(seen)
    low = (_low_good(seen, error_fraction / 3), _low(seen.passed_bad, seen.passed_seen, error_fraction / 3), _low(seen.rejected, seen.passed + seen.rejected, error_fraction / 3))  # fmt: skip
    return AtLeast(_share(rejected * good, (1 - rejected) * (1 - bad)), _share(low[2] * low[0], (1 - low[2]) * (1 - low[1])))  # fmt: skip


def escapes(seen: Looked, error_fraction: float) -> AtLeast | None:
    """Return which share of the bad parts is passed; None until passed parts were drawn and looked at.

    Where no rejected part has been looked at, all rejected ones count as bad.

    Examples
    --------
    >>> found = escapes(Looked(900, 100, 300, 15, 100, 0), 0.01)
    >>> round(found.value, 4), round(found.low, 4)
    (0.3103, 0.1312)
    """
    if not seen.passed_seen:
        return None
    good, bad, rejected = _shares(seen)
    low_bad = _low(seen.passed_bad, seen.passed_seen, error_fraction / 3)
    low_good = _low_good(seen, error_fraction / 3)
    judged = seen.passed + seen.rejected
    passed = _low(seen.passed, judged, error_fraction / 3)
    return AtLeast(_share((1 - rejected) * bad, rejected * (1 - good)), _share(passed * low_bad, (1 - passed) * (1 - low_good)))  # fmt: skip


def _shares(seen: Looked) -> tuple[float, float, float]:
    good = seen.rejected_good / seen.rejected_seen if seen.rejected_seen else 0.0
    bad = seen.passed_bad / seen.passed_seen if seen.passed_seen else 0.0
    return good, bad, seen.rejected / max(seen.passed + seen.rejected, 1)


def _low_good(seen: Looked, error_fraction: float) -> float:
    return _low(seen.rejected_good, max(seen.rejected, seen.rejected_seen), error_fraction)


def _low(hits: int, of: int, error_fraction: float) -> float:
    if not 0.0 < error_fraction < 0.5 or hits > of:
        raise Misuse("a chance of error below a half and no more hits than looks are needed")
    return rate(hits, of, 1.0 - 2.0 * error_fraction).low if of else 0.0


def _share(one: float, other: float) -> float:
    return one / (one + other) if one + other > 0.0 else 0.0
