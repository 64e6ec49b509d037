"""The normalised baseline: a made plant whose savings are known, drivers that explain nothing, tests with their source."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from zerofactory.errors import FaultyData
from zerofactory.metering.baseline import Sample, baseline, limits, savings

FIRST = date(2024, 1, 1)


def sample(seed: int, saved_fraction: float = 0.0, weeks: int = 52, noise: float = 4.0) -> Sample:
    random = np.random.Generator(np.random.PCG64(seed))
    turn = 2 * np.pi * np.arange(weeks) / 52
    drivers = {
        "output": random.uniform(3000, 6000, weeks),
        "hdd": np.maximum(70 * np.cos(turn), 0.0),
        "cdd": np.maximum(-50 * np.cos(turn), 0.0),
        "shifts": random.integers(8, 12, weeks).astype(np.float64),
    }
    energy = (
        200 + 0.12 * drivers["output"] + 1.5 * drivers["hdd"] + 3.0 * drivers["cdd"] + random.normal(0, noise, weeks)
    )
    return Sample(
        tuple(FIRST + timedelta(weeks=index) for index in range(weeks)), energy * (1 - saved_fraction), drivers
    )


def test_the_model_is_found_and_an_idle_driver_left_out() -> None:
    made = baseline(sample(1), ["output", "hdd", "cdd", "shifts"])
    assert made.names == ("output", "hdd", "cdd")
    assert [name for name, _ in made.left_out] == ["shifts"]
    assert made.fit.coefficients == pytest.approx([200, 0.12, 1.5, 3.0], rel=0.05)
    assert all(check.passed for check in made.checks)
    assert all(check.source for check in made.checks)


def test_known_savings_lie_in_the_interval_and_cusum_ends_at_them() -> None:
    made = baseline(sample(1), ["output", "hdd", "cdd"])
    later = sample(2, saved_fraction=0.05)
    found = savings(made, later)
    true = float(later.energy.sum()) / 0.95 * 0.05
    assert found.low <= true <= found.high
    assert found.low > 0
    assert found.cusum[-1] == pytest.approx(found.savings)
    assert found.savings == pytest.approx(found.expected_total - found.actual_total)
    assert found.ratio == pytest.approx(0.95, abs=0.005)
    assert found.specific == pytest.approx(found.actual_total / float(later.drivers["output"].sum()))


def test_savings_against_itself_are_zero() -> None:
    same = sample(3)
    found = savings(baseline(same, ["output", "hdd"]), same)
    assert found.savings == pytest.approx(0.0, abs=1e-6)


def test_the_interval_covers_as_it_says() -> None:
    made = [(baseline(sample(seed), ["output", "hdd", "cdd"]), sample(seed + 1000)) for seed in range(120)]
    inside = [(found := savings(one, later)).low <= 0.0 <= found.high for one, later in made]
    assert 0.88 <= np.mean(inside) <= 1.0


def test_a_report_outside_the_reference_fails_its_test_and_a_stop_is_asked_about() -> None:
    made = baseline(sample(1).where(np.arange(52) % 4 == 0), ["output", "hdd", "cdd"])
    later = sample(2)
    far = Sample(later.starts, later.energy, {**later.drivers, "output": later.drivers["output"] * 10})
    assert [check.passed for check in savings(made, far).checks if check.about == "output"] == [False]
    stopped = later.energy.copy()
    stopped[20] = 10.0
    assert savings(made, Sample(later.starts, stopped, later.drivers)).unusual == (later.starts[20],)


def test_too_little_is_said_and_a_constant_driver_is_named() -> None:
    with pytest.raises(FaultyData) as caught:
        baseline(sample(1, weeks=3), ["output"])
    assert caught.value.problems[0].code == "metering.baseline_too_few"
    flat = sample(1)
    flat = Sample(flat.starts, flat.energy, {**flat.drivers, "shifts": np.full(52, 10.0)})
    made = baseline(flat, ["output", "hdd", "cdd", "shifts"])
    assert ("shifts", "does not vary in the reference period") in [(name, why.en) for name, why in made.left_out]


def test_every_limit_has_a_source_and_status() -> None:
    assert all(one.source and one.status in ("verified", "secondary", "expert") for one in limits().values())
