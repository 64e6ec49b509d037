"""Times to failure and to repair: published censored data, another tool, a run of known parameters, intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from zerofactory.errors import Misuse, Text
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.optimisation.twin.lifetimes import Lifetimes, exponential, fit, weibull
from zerofactory.optimisation.twin.line import (
    BLOCKED,
    FAILED,
    IDLE,
    OFF,
    STATES,
    WORKING,
    Buffer,
    Failure,
    Line,
    Station,
    Window,
)
from zerofactory.optimisation.twin.signal_log import NOTHING, Stretches, mean_shares, places, stretches, together
from zerofactory.optimisation.twin.spells import OPEN, day_seconds, failures, in_shifts, ratio, shares
from zerofactory.optimisation.twin.trace import Trace, traced

FANS = """450 460+ 1150 1150 1560+ 1600 1660+ 1850+*5 2030+*3 2070 2070 2080 2200+ 3000+*4 3100 3200+ 3450 3750+*2 4150+*4 4300+*4 4600
4850+*4 5000+*3 6100+ 6100 6100+*2 6300+ 6450+*2 6700+ 7450+ 7800+*2 8100+*2 8200+ 8500+*3 8750+ 8750 8750+ 9400+ 9900+ 10100+*3
11500+"""
"""Hours of 70 fans of diesel generators, + still running: Nelson 1982, Applied Life Data Analysis, p. 318."""
DAY = 86_400.0


def fans() -> Lifetimes:
    """Return the published data."""
    time_h, ended = [], []
    for word in FANS.split():
        value, _, times = word.partition("*")
        for _ in range(int(times or 1)):
            time_h.append(float(value.rstrip("+")))
            ended.append(not value.endswith("+"))
    return Lifetimes(np.array(time_h), np.array(ended))


def test_the_weibull_of_published_censored_data() -> None:
    """SAS/QC User's Guide, The RELIABILITY Procedure, first example: shape 1.0584 (0.6441 … 1.7394), scale 26 296.85 h."""
    seen = fans()
    assert (len(seen.time_s), seen.ends, seen.time_s.sum()) == (70, 12, 344_440.0)
    found = weibull(seen)
    assert found.shape.mean == pytest.approx(1.0584, abs=5e-5)
    assert [found.shape.low, found.shape.high] == pytest.approx([0.6441, 1.7394], abs=5e-4)
    assert found.scale_s.mean == pytest.approx(26_296.85, abs=0.05)
    told = fit(seen)
    assert told is not None
    assert told.kind == "exponential"
    assert told.p_value is not None
    assert told.p_value > 0.5
    assert told.mean_s.mean == pytest.approx(344_440.0 / 12)


def test_another_tool_says_the_same_of_censored_weibull_times() -> None:
    rng = np.random.default_rng(7)
    life, stop = 900.0 * rng.weibull(1.7, 60), rng.uniform(100.0, 2000.0, 60)
    seen = Lifetimes(np.minimum(life, stop), life <= stop)
    data = stats.CensoredData.right_censored(seen.time_s, ~seen.ended)
    shape, _, scale = stats.weibull_min.fit(data, floc=0.0)
    found = weibull(seen)
    assert found.shape.mean == pytest.approx(shape, rel=1e-4)
    assert found.scale_s.mean == pytest.approx(scale, rel=1e-4)
    assert found.mean_s.mean == pytest.approx(stats.weibull_min.mean(found.shape.mean, scale=found.scale_s.mean))
    told = stats.weibull_min.logpdf(seen.time_s[seen.ended], found.shape.mean, scale=found.scale_s.mean).sum()
    told += stats.weibull_min.logsf(seen.time_s[~seen.ended], found.shape.mean, scale=found.scale_s.mean).sum()
    assert found.log_likelihood == pytest.approx(told)


def test_which_distribution_is_taken() -> None:
    rng = np.random.default_rng(3)
    worn = fit(Lifetimes(3600.0 * rng.weibull(2.5, 80), np.ones(80, dtype=bool)))
    young = fit(Lifetimes(3600.0 * rng.weibull(0.6, 80), np.ones(80, dtype=bool)))
    assert worn is not None
    assert worn.shape is not None
    assert worn.kind == "weibull"
    assert worn.shape.low > 1.0
    assert young is not None
    assert young.shape is not None
    assert young.kind == "weibull"
    assert young.shape.high < 1.0
    refused = sum(getattr(fit(Lifetimes(rng.exponential(3600.0, 40), np.ones(40, dtype=bool))), "kind", "") == "weibull" for _ in range(300))  # fmt: skip
    assert refused / 300 == pytest.approx(0.05, abs=0.035)  # the level of the test
    alike = fit(Lifetimes(np.full(9, 1800.0), np.ones(9, dtype=bool)))
    assert alike is not None
    assert alike.kind == "fixed"
    assert alike.mean_s.mean == 1800.0


def test_intervals_hold_what_they_promise() -> None:
    """Means of exponential and Weibull times, cut off after a while, lie in 95 % intervals about as often as that."""
    rng, inside, sharp = np.random.default_rng(11), 0, 0
    for _ in range(300):
        life = rng.exponential(100.0, 40)
        found = exponential(float(np.minimum(life, 120.0).sum()), int((life <= 120.0).sum()))
        inside += found.low <= 100.0 <= found.high
        life = 100.0 * rng.weibull(2.0, 40)
        worn = weibull(Lifetimes(np.minimum(life, 110.0), life <= 110.0))
        sharp += worn.shape.low <= 2.0 <= worn.shape.high
        sharp += worn.mean_s.low <= 100.0 * 0.886227 <= worn.mean_s.high
    assert inside / 300 > 0.92
    assert sharp / 600 == pytest.approx(0.95, abs=0.03)


def test_too_little_is_told_as_such() -> None:
    nothing = Lifetimes(np.array([5.0]), np.array([False]))
    assert fit(nothing) is None
    assert fit(Lifetimes(np.zeros(0), np.zeros(0, dtype=bool))) is None
    one = fit(Lifetimes(np.array([5.0, 7.0]), np.array([False, True])))
    assert one is not None
    assert (one.kind, one.mean_s.mean, one.p_value) == ("exponential", 12.0, None)
    apart = fit(Lifetimes(np.array([5.0]), np.array([False]), apart_s=10.0, apart_ends=3))
    assert apart is not None
    assert apart.mean_s.mean == 5.0
    assert apart.ends == 3
    with pytest.raises(Misuse):
        exponential(10.0, 0)
    with pytest.raises(Misuse):
        weibull(nothing)


def logs_of(found: Trace, end_s: float) -> list[Stretches]:
    """Return what a signal of each machine would have told of a run."""
    logs = []
    for machine in range(len(found.station_of)):
        rows = found.machines[found.machines["machine"] == machine]
        at = np.rint(rows["at_s"] * 1e6).astype(np.int64)
        logs.append(stretches(at, rows["state"].astype(np.int64), 10**15, round(end_s * 1e6)))
    return logs


def shifts(days: int) -> tuple[Window, ...]:
    """Return two shifts a day."""
    return tuple(Window(day * DAY + 6 * 3600.0, day * DAY + 22 * 3600.0) for day in range(days))


@pytest.fixture(scope="module")
def run() -> tuple[Trace, list[Stretches], int]:
    """Return forty days of a line whose failures are known: one station wears, the other does not."""
    worn = Failure(Spread("weibull", 7200.0, shape=2.2), Spread("lognormal", 600.0, shape=0.5))
    plain = Failure(Spread("exponential", 10_800.0), Spread("exponential", 900.0))
    first = Station(
        "a", Text("甲", "a"), Spread("uniform", low_s=40.0, high_s=80.0), gives="b", failure=worn, machines=2
    )
    second = Station("z", Text("乙", "z"), Spread("fixed", 29.0), takes=("b",), failure=plain)
    days = 40
    line = Line((first, second), (Buffer("b", 6),), windows=shifts(days))
    _, told = traced(line, days * DAY, seed=5)
    return told, logs_of(told, days * DAY), days


def test_known_failures_are_found_again_from_exact_logs(run: tuple[Trace, list[Stretches], int]) -> None:
    _, logs, _ = run
    worked, repaired = failures(logs[:2])
    wear, mend = fit(worked), fit(repaired)
    assert wear is not None
    assert wear.kind == "weibull"
    assert wear.shape is not None
    assert wear.shape.low <= 2.2 <= wear.shape.high
    assert wear.mean_s.low <= 7200.0 <= wear.mean_s.high
    assert wear.mean_s.half < 0.08 * 7200.0
    assert mend is not None
    assert mend.mean_s.mean == pytest.approx(600.0, rel=0.06)
    worked, repaired = failures(logs[2:])
    plain, mended = fit(worked), fit(repaired)
    assert plain is not None
    assert plain.kind == "exponential"
    assert plain.mean_s.low <= 10_800.0 <= plain.mean_s.high
    assert mended is not None
    assert mended.kind == "exponential"
    assert mended.mean_s.low <= 900.0 <= mended.mean_s.high


def test_failures_by_the_clock_of_the_shift_are_found_again_where_a_machine_mostly_waits() -> None:
    """A station that works a third of the shift and says idle at night: by its work alone it would fail three times as often."""
    clocked = Failure(Spread("weibull", 7200.0, shape=2.2), Spread("exponential", 600.0), clock="open")
    slow = Station("a", Text("甲", "a"), Spread("fixed", 90.0), gives="b")
    fast = Station("z", Text("乙", "z"), Spread("fixed", 30.0), takes=("b",), failure=clocked)
    days, open_us = 40, [(round(one.start_s * 1e6), round(one.end_s * 1e6)) for one in shifts(40)]
    _, told = traced(Line((slow, fast), (Buffer("b", 6),), windows=shifts(days)), days * DAY, seed=6)
    log = logs_of(told, days * DAY)[1]
    said = Stretches(log.begin_us, log.end_us, np.where(log.state == OFF, IDLE, log.state))
    worked, repaired = failures([in_shifts(said, open_us)], OPEN)
    wear, mend, by_work = fit(worked), fit(repaired), fit(failures([said])[0])
    assert wear is not None and mend is not None and by_work is not None  # noqa: PT018
    assert wear.kind == "weibull"
    assert wear.mean_s.low <= 7200.0 <= wear.mean_s.high
    assert wear.shape is not None
    assert wear.shape.low <= 2.2 <= wear.shape.high
    assert mend.mean_s.low <= 600.0 <= mend.mean_s.high
    assert by_work.mean_s.high < 3600.0


def test_every_second_of_the_trace_is_in_the_shares(run: tuple[Trace, list[Stretches], int]) -> None:
    told, logs, days = run
    whole = [((round(day * DAY * 1e6), round((day + 1) * DAY * 1e6)),) for day in range(days)]
    seconds = day_seconds(logs[:2], whole)
    assert seconds.sum() == pytest.approx(2 * days * DAY, abs=1e-3)
    rows = told.machines[np.isin(told.machines["machine"], (0, 1))]
    starts = {k: rows[rows["machine"] == k] for k in (0, 1)}
    worked = sum(np.diff(np.append(one["at_s"], days * DAY))[one["state"] == WORKING].sum() for one in starts.values())
    assert seconds[:, WORKING].sum() == pytest.approx(worked, abs=1e-2)
    found = dict(shares(seconds))
    assert sum(one.mean for one in found.values()) == pytest.approx(1.0)
    assert found["blocked"].low < found["blocked"].mean < found["blocked"].high
    assert set(found) <= set(STATES)


def test_what_is_not_known_is_cut_off_and_never_guessed() -> None:
    """Hand-made: failed at 10, nothing known from 30 to 50, working again at 50, failed at 80 with an age that nobody knows."""
    at = np.array([0, 10, 12, 30, 50, 80, 90]) * 10**6
    log = stretches(at, np.array([WORKING, FAILED, WORKING, NOTHING, WORKING, FAILED, IDLE]), 10**12, 100 * 10**6)
    worked, repaired = failures([log])
    assert worked.time_s.tolist() == [18.0]
    assert worked.ended.tolist() == [False]
    assert (worked.apart_s, worked.apart_ends) == (10.0 + 30.0, 2)
    assert repaired.time_s.tolist() == [2.0, 10.0]
    assert repaired.ended.tolist() == [True, True]
    open_end = stretches(at[:2], np.array([WORKING, FAILED]), 10**12, 25 * 10**6)
    assert failures([open_end])[1].ended.tolist() == [False]
    begins_failed = stretches(at[:2], np.array([FAILED, WORKING]), 10**12, 25 * 10**6)
    assert failures([begins_failed])[1].apart_ends == 1


def test_a_repair_with_waits_in_between_is_one() -> None:
    at = np.array([0, 10, 14, 20, 22, 40]) * 10**6
    log = stretches(at, np.array([WORKING, FAILED, IDLE, FAILED, OFF, WORKING]), 10**12, 60 * 10**6)
    worked, repaired = failures([log])
    assert repaired.time_s.tolist() == [6.0]
    assert repaired.ended.tolist() == [True]
    assert worked.time_s.tolist() == [20.0]
    assert worked.apart_ends == 1


def test_a_reading_holds_until_the_next_and_no_longer_than_said() -> None:
    log = stretches(np.array([0, 100]), np.array([WORKING, BLOCKED]), 40, 120)
    assert together([log], 39) == ("working", 0)
    assert together([log], 45) == (None, None)
    assert together([log], 120) == ("blocked", 100)
    assert together([log], 121) == (None, None)
    slow = stretches(np.array([0, 100]) * 10**6, np.array([WORKING, BLOCKED]), 40 * 10**6, 120 * 10**6)
    assert mean_shares([slow], 0, 40 * 10**6) is not None
    assert mean_shares([slow], 20 * 10**6, 60 * 10**6) is None
    now = stretches(np.array([0, 120]), np.array([WORKING, FAILED]), 500, 120)
    assert together([now], 120) == ("failed", 120)  # a reading of this very moment
    assert len(stretches(np.array([500]), np.array([WORKING]), 40, 120)) == 0
    cut = log.between(10, 110)
    assert (cut.begin_us[0], cut.end_us[-1]) == (10, 110)
    assert places(np.array([3.0, 99.0]), {3: "blocked"}).tolist() == [BLOCKED, NOTHING]


def test_an_interval_of_a_share_lets_a_day_hang_together() -> None:
    rng, inside = np.random.default_rng(5), 0
    for _ in range(200):
        level = rng.beta(8.0, 2.0, 20)
        found = ratio(level * 100.0, np.full(20, 100.0))
        assert found is not None
        inside += found.low <= 0.8 <= found.high
    assert inside / 200 == pytest.approx(0.95, abs=0.045)
    assert ratio(np.array([1.0]), np.array([0.0])) is None
