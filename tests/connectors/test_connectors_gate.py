"""The gate: instants, bounds, jumps, repeats, order, clocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from zerofactory.connectors.gate import Admitted, Gate, GateRules, Passage
from zerofactory.connectors.sample import Arrival
from zerofactory.errors import Text
from zerofactory.site.model import Meter

RULES = GateRules(30.0, 3600.0, 15.0, 0.9, 3600.0)
T0 = 1_740_960_000_000_000  # 2025-03-03T00:00Z, a quarter hour
Q = 900_000_000
STREAM, POLL = Passage("interval", False, True), Passage("instant", True, True)
NAME = Text("表", "meter")
REGISTER = Meter("R", NAME, "electricity", "register", "kWh", rollover=1000.0, minimum=0.0, maximum=10.0)
GAUGE = Meter("P", NAME, "electricity", "gauge", "kW", minimum=0.0, maximum=100.0)


def gate(**levels: tuple[int, float]) -> Gate:
    return Gate((REGISTER, GAUGE), "Asia/Shanghai", RULES, levels)


def run(made: Gate, values: Sequence[float], passage: Passage = STREAM, meter: str = "R") -> Admitted:
    arrivals = [Arrival(meter, T0 + n * Q, value) for n, value in enumerate(values)]
    return made.admit(arrivals, passage, T0 + 1000 * Q)


def booked(out: Admitted) -> list[float]:
    return [sample.value for sample in out.samples]


def test_plain_register_passes_with_distinct_known_at() -> None:
    out = run(gate(), [1.0, 2.0, 3.0])
    assert booked(out) == [1.0, 2.0, 3.0]
    assert len({sample.known_at_us for sample in out.samples}) == 3


def test_garbage_between_good_readings_is_refused() -> None:
    out = run(gate(), [100.0, 5.0, 102.0, 9e30, 104.0])
    assert booked(out) == [100.0, 102.0, 104.0]
    assert [refused.value for refused in out.refused] == [5.0, 9e30]


def test_replaced_register_is_let_through_with_its_first_reading() -> None:
    out = run(gate(), [500.0, 0.0, 4.0, 8.0])
    assert booked(out) == [500.0, 0.0, 4.0, 8.0]
    assert out.counts["new_register"] == 1


def test_rollover_is_no_jump() -> None:
    assert booked(run(gate(), [995.0, 3.0, 9.0])) == [995.0, 3.0, 9.0]


def test_a_gap_allows_as_much_as_its_intervals() -> None:
    made = gate(R=(T0 - 10 * Q, 100.0))
    assert booked(run(made, [199.0])) == [199.0]
    assert booked(run(gate(R=(T0 - 10 * Q, 100.0)), [201.0])) == []


def test_nan_unknown_meter_and_future() -> None:
    made = gate()
    arrivals = [Arrival("R", T0, math.nan), Arrival("X", T0, 1.0), Arrival("R", T0 + 100 * Q, 1.0)]
    out = made.admit(arrivals, Passage("interval", False, False), T0)
    assert dict(out.counts) == {"not_a_number": 1, "unknown_meter": 1, "from_the_future": 1}
    assert out.samples == []
    assert out.skew_seconds == pytest.approx(90_000)


def test_polls_between_edges_are_not_booked_and_the_first_after_an_edge_is() -> None:
    made = gate()
    times = [-5, 3, 8, 100, 899, 902, 950]
    arrivals = [Arrival("R", T0 + second * 1_000_000, 1.0 + n / 10) for n, second in enumerate(times)]
    out = made.admit(arrivals, POLL, T0)
    assert [(s.started_at_us - T0, s.value) for s in out.samples] == [(0, 1.1), (Q, 1.5)]


def test_out_of_order_and_correction() -> None:
    made = gate()
    arrivals = [Arrival("R", T0 + 2 * Q, 5.0), Arrival("R", T0, 1.0), Arrival("R", T0 + Q, 7.0)]
    arrivals += [Arrival("R", T0 + 2 * Q, 5.5), Arrival("R", T0 + 2 * Q, 5.5)]
    out = made.admit(arrivals, STREAM, T0)
    assert [(s.started_at_us - T0, s.value) for s in out.samples] == [(2 * Q, 5.0), (0, 1.0), (2 * Q, 5.5)]
    assert out.counts["out_of_order"] == 2
    assert out.counts["jump"] == 1
    assert out.counts["repeated"] == 1


def test_gauge_is_averaged_over_its_interval() -> None:
    made = gate()
    arrivals = [Arrival("P", T0 + n * 60_000_000, 10.0 if n < 8 else 25.0) for n in range(17)]
    out = made.admit(arrivals, POLL, T0)
    assert [(s.started_at_us - T0, s.value) for s in out.samples] == [(0, (8 * 10 + 7 * 25) / 15)]


def test_gauge_seen_too_little_is_a_gap() -> None:
    made = gate()
    out = made.admit([Arrival("P", T0 + second * 1_000_000, 10.0) for second in (0, 60, 1900, 1960)], POLL, T0)
    assert out.samples == []
    assert out.counts["too_little_seen"] == 1


def test_interval_values_stand_on_the_grid_and_in_bounds() -> None:
    made = gate()
    out = made.admit([Arrival("P", T0 + 1, 5.0), Arrival("P", T0, 500.0), Arrival("P", T0, 50.0)], STREAM, T0)
    assert booked(out) == [50.0]
    assert out.counts["off_grid"] == out.counts["out_of_bounds"] == 1


def test_what_a_register_shows_between_edges_is_kept_for_live_figures_when_it_can_be() -> None:
    made = gate()
    second = 1_000_000
    made.admit([Arrival("R", T0, 100.0), Arrival("R", T0 + 300 * second, 104.0)], POLL, T0)
    assert made.between == {"R": (T0 + 300 * second, 104.0)}
    made.admit([Arrival("R", T0 + 400 * second, 3.0), Arrival("R", T0 + 500 * second, 1e12)], POLL, T0)  # garbage
    assert made.between == {"R": (T0 + 300 * second, 104.0)}
    assert made.levels()["R"] == (T0, 100.0)
    made.admit([Arrival("P", T0 + 5, 40.0), Arrival("P", T0 + 7, 1e9)], POLL, T0)
    assert made.between["P"] == (T0 + 5, 40.0)
