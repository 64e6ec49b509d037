"""A what-if that begins now: the state is the one that was seen, what went before is left out, and prices follow the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.runs.test_runs_twin_now import FIRST, MIDNIGHT, made  # noqa: F401  (a fixture)

from zerofactory.errors import FaultyData
from zerofactory.optimisation.twin.production import simulate
from zerofactory.optimisation.twin.resume import Resume, later, resumed
from zerofactory.optimisation.twin.start import State
from zerofactory.runs import twin, twin_compare, twin_now, twin_scenario, twin_start
from zerofactory.runs.context import Context
from zerofactory.runs.twin_file import read
from zerofactory.store.workspace import Workspace

Made = tuple[Context, twin.Simulated]
TARIFF = '\n[tariff]\narea = "shanghai"\nscheme = "two_part_large_industry"\nvoltage = "110kV"\ncarry = "2026-08"\n'
ASKED = twin.Asked(days=1, warm_up_days=1, runs=3, seed=2)
AT = "2025-03-04T10:07"


def test_the_start_is_what_was_seen_and_the_rest_is_told(made: Made) -> None:  # noqa: F811
    plant, _ = made
    begun = twin_start.begun(plant, AT, ASKED)
    seen = twin_now.now(plant, MIDNIGHT + timedelta(days=1, hours=10, minutes=7))
    resume = begun.asked.resume
    assert resume is not None
    assert resume.since_midnight_s == 10 * 3600.0
    assert len(resume.states) == 3
    for state in resume.states:
        assert {name: state.states[name] for name in ("booth", "oven")} == seen.states
        assert state.levels["b"] == seen.levels["b"]
        assert state.states["hand"] in ("working", "blocked")
    assert any("by hand" in one.en for one in begun.notes)
    found = twin.run(plant, begun.asked)
    assert found.begin.isoformat() == "2025-03-04T10:00:00"
    assert found.as_json()["resumed"] is True
    assert found.skip == 96 + 40
    assert found.output.mean > 0
    day = twin_start.begun(plant, "2025-03-04", ASKED)
    assert (day.asked.resume, day.asked.first, day.seen) == (None, FIRST + timedelta(days=1), None)
    with pytest.raises(FaultyData) as caught:
        twin_start.begun(plant, "now", ASKED)
    assert [one.code for one in caught.value.problems] == ["twin_start.unknown"]


def test_before_the_moment_it_is_the_plain_run_and_after_it_the_run_from_the_state(made: Made) -> None:  # noqa: F811
    plant, _ = made
    line = twin.scheduled(plant, read(plant), FIRST, replace(ASKED, days=3))
    moment, end = 86400.0 + 10 * 3600.0, 3 * 86400.0
    full, empty = (
        resumed(line, (moment, end, 900.0), (4, 0), State({"b": held, "gone": 3}, {"booth": "working"}))
        for held in (99, 0)
    )
    plain, place = simulate(line, end, 900.0, 4, 0), int(moment / 900.0)
    assert np.array_equal(full.seconds[:, :place], plain.seconds[:, :place])
    alone = simulate(later(line, moment), end - moment, 900.0, 4, 0, state=State({"b": 5}, {"booth": "working"}))
    assert np.array_equal(full.counts[:, place:], alone.counts)
    assert full.seconds.sum(axis=2) == pytest.approx(np.full(full.seconds.shape[:2], 900.0)), (
        "every second is in one state"
    )
    more = full.finished[place : place + 4].sum() - empty.finished[place : place + 4].sum()
    assert 0 <= more <= 5, "what was in the buffer comes out sooner"
    assert full.finished[place:].sum() >= empty.finished[place:].sum()


def test_prices_are_those_of_the_hours_that_follow(made: Made, tmp_path: Path) -> None:  # noqa: F811
    plant, _ = made
    folder = tmp_path / "priced"
    folder.mkdir()
    text = (plant.workspace.folder / "factory.toml").read_text(encoding="utf-8")
    (folder / "factory.toml").write_text(text + TARIFF, encoding="utf-8")
    (folder / "twin.toml").write_text(
        (plant.workspace.folder / "twin.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    Workspace.create(folder, at="2026-01-15T00:00:00.000000Z", actor="test")
    priced = Context(Workspace.open(folder), plant.now, "test")
    whole = twin.energy_prices(priced, FIRST, replace(ASKED, days=2), gas=False)
    part = twin.energy_prices(priced, FIRST, replace(ASKED, resume=Resume(10 * 3600.0, (State(),))), gas=False)
    assert whole is not None
    assert part is not None
    assert np.array_equal(part.electricity, whole.electricity[40 : 40 + 96])


def test_scenarios_are_compared_from_the_same_moment(made: Made, tmp_path: Path) -> None:  # noqa: F811
    plant, _ = made
    begun = twin_start.begun(plant, AT, ASKED)
    file = tmp_path / "faster.toml"
    file.write_text(
        'title = { zh = "快", en = "faster" }\n[stations.oven]\ncycle = { kind = "fixed", mean_s = 30 }\n',
        encoding="utf-8",
    )
    found = twin_compare.compare(plant, begun.asked, [twin_scenario.named(plant, str(file))])
    assert found.base.begin == found.scenarios[0].simulated.begin
    assert found.scenarios[0].differences["output"].mean > 0
