"""Utilities act back on the line: what is not served stops stations; lines and stores worked out by hand, conservation, nothing short."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import NOW, SMALL_PLANT

from zerofactory.errors import FaultyData, Text
from zerofactory.optimisation.twin.energy import usage
from zerofactory.optimisation.utilities import plant as utilities_plant
from zerofactory.runs import (
    twin,
    twin_compare,
    twin_file,
    twin_replay,
    twin_stopped,
    twin_utilities,
    twin_utilities_file,
)
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.twin_scenario import Scenario
from zerofactory.store.workspace import Workspace

PLANT = (
    SMALL_PLANT
    + '[calendar]\nshifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:00:00" }]\n'
)
STATION = '[[stations]]\nid = "{0}"\nname = {{ zh = "{0}", en = "{0}" }}\nshop = "paint"\ncycle = {{ kind = "fixed", mean_s = 60 }}\ndraws.electricity = {{ power = {{ off = 1, idle = 5, working = 10 }} }}\n'
COLD = """
gas_kwh_per_nm3 = 10.8
weather = { place = "shanghai" }

[[loops]]
id = "cold"
name = { zh = "冷冻水", en = "chilled water" }
hot = false
supply_celsius = 7
return_celsius = 12
"""
CHILLER = """
[[chillers]]
id = "{0}"
name = {{ zh = "{0}", en = "{0}" }}
shop = "utilities"
loop = "cold"
cooling_kw = {1}
rated_eer_fraction = 5
rated_condenser_celsius = 30
approach_k = 5
least_condenser_celsius = 15
eer_maximum_fraction = 9
"""
LOAD = '\n[[loads]]\nid = "bath-{0}"\nloop = "cold"\nopen_kw = 100\nrest_kw = 0\n'
STOP = '\n[[stops]]\nid = "stop-{0}"\nload = "bath-{0}"\nstations = ["{0}"]\nbelow_fraction = {1}\n'
AIR = """
[network]
volume_m3 = {0}
celsius = 0
needed_kpa = 500

[[compressors]]
id = "c1"
name = {{ zh = "空压机", en = "compressor" }}
shop = "utilities"
control = "variable"
flow_nm3_per_h = 1000
power_kw = 120
load_kpa = 650
unload_kpa = 700
curve = [[0.2, 0.3], [1.0, 1.0]]

[[air]]
id = "guns"
stations = ["a"]
nm3_per_h = {{ working = 600 }}

[[stops]]
id = "no-air"
air = "guns"
below_kpa = 550
"""
ASKED = twin.Asked(date(2025, 7, 14), days=2, warm_up_days=1, runs=2, seed=4)
THREE_HOURS = {"day": 2, "at": "11:00", "hours": 3}
ONE = COLD + CHILLER.format("chiller", 200) + LOAD.format("a")
TWO = COLD + CHILLER.format("c1", 100) + CHILLER.format("c2", 100) + LOAD.format("a") + LOAD.format("b")


def workspace(folder: Path, utilities: str, stations: str = "a") -> Context:
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    (folder / "twin.toml").write_text("".join(STATION.format(name) for name in stations), encoding="utf-8")
    (folder / "utilities.toml").write_text(utilities, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


def down(utility: str, **more: Any) -> dict[str, Any]:
    return {"utilities": {"down": [{"utility": utility, **THREE_HOURS}], **more}}


def open_h(found: twin.Simulated) -> dict[str, float]:
    """Return the hours that each station stood still, whatever the cause."""
    assert found.around is not None
    assert found.around.stopped is not None
    return {row.station: row.open_h.mean for cause in found.around.stopped.causes for row in cause.stations}


def pieces(found: twin.Simulated, place: int = 0) -> int:
    """Return what a station made in the days that count."""
    return found.stations[place].made


def test_a_chiller_out_for_three_hours_costs_three_hours(tmp_path: Path) -> None:
    """One station, a piece a minute, eight hours a day: 960 pieces in two days, 180 fewer with three hours without cold."""
    context = workspace(tmp_path / "plant", ONE + STOP.format("a", 0.9))
    kept, lost = twin.run(context, ASKED), twin.run(context, ASKED, changed=down("chiller"))
    assert kept.paired["output"] == (960.0, 960.0)
    assert lost.paired["output"] == (780.0, 780.0)
    assert lost.paired["stopped_pieces"] == (180.0, 180.0)
    assert lost.paired["cold_stopped_h"] == (3.0, 3.0)
    assert lost.paired["stops_unsettled"] == (0.0, 0.0)
    told = lost.as_json()["stopped"]
    assert told == {
        "pieces": lost.around.stopped.pieces.as_json() if lost.around and lost.around.stopped else None,
        "causes": [{
            "cause": "cold", "title": {"zh": "冷冻水", "en": "chilled water"},
            "open_h": {"mean": 3.0, "low": 3.0, "high": 3.0, "runs": 2}, "pieces": {"mean": 180.0, "low": 180.0, "high": 180.0, "runs": 2},
            "stations": [{"station": "a", "open_h": {"mean": 3.0, "low": 3.0, "high": 3.0, "runs": 2}}],
        }],
        "passes": 2,
        "unsettled_runs": 0,
    }  # fmt: skip
    # While it stands still the station takes what it takes when it is off, and its load is at rest: nothing is missed any more.
    assert kept.energy["electricity"].mean > lost.energy["electricity"].mean
    assert lost.paired["cold_unmet_kwh"] == (0.0, 0.0)
    for run in lost.runs:
        assert run.seconds.sum(axis=2) == pytest.approx(np.full(run.seconds.shape[:2], 900.0)), "no second is lost"


def test_without_limits_and_without_shortage_every_figure_is_the_same(tmp_path: Path) -> None:
    plain, limited = workspace(tmp_path / "plain", ONE), workspace(tmp_path / "limited", ONE + STOP.format("a", 0.9))
    for change in (None, down("chiller")):
        found = twin.run(plain, ASKED, changed=change)
        assert found.around is not None
        assert found.around.stopped is None
        assert not any("stop" in name for name in found.paired)
        assert found.paired["output"] == (960.0, 960.0), "nothing goes back without [[stops]]"
        # The utilities are those of one pass beside the line, to the last bit.
        read = twin_utilities_file.read(plain, twin_file.read(plain, change), change)
        assert read is not None
        utilities, outdoors = twin_utilities.ready(plain, read, date(2025, 7, 14), 1, found.runs[0])
        alone = utilities_plant.simulate(utilities, twin_utilities.driven(usage(found.runs[0]), outdoors))
        aside = found.usages[0].aside
        assert aside is not None
        for carrier, table in twin_utilities.aside(alone).used.items():
            assert (table == aside.used[carrier]).all()
    before, after = twin.run(plain, ASKED), twin.run(limited, ASKED)
    assert after.as_json()["stopped"] == {
        "pieces": {"mean": 0.0, "low": 0.0, "high": 0.0, "runs": 2}, "causes": [], "passes": 1, "unsettled_runs": 0,
    }  # fmt: skip
    assert {name: after.paired[name] for name in before.paired} == before.paired
    assert not any(value for name in set(after.paired) - set(before.paired) for value in after.paired[name])
    assert (before.runs[1].seconds == after.runs[1].seconds).all()


@pytest.mark.parametrize("hours", ["9, 10", "9, 10, 11, 12, 13"])
def test_a_store_carries_the_line_through_as_long_as_it_lasts(tmp_path: Path, hours: str) -> None:
    """100 kWh of cold charged until 11 o'clock, a need of 100 kW: an hour of the three is bridged, also in hours it would be charged in."""
    tank = (
        '\n[[tanks]]\nid = "store"\nname = {{ zh = "罐", en = "store" }}\nloop = "cold"\nvolume_m3 = {0}\nlayers = 1\nloss_kw_per_k = 0\n'
        "around_celsius = 12\ncharge_kw = 100\ncharge_hours = [{1}]\n"
    )
    of_100_kwh = 100.0 / (5.0 * 4.186 * 998.0 / 3600.0)
    text = ONE + STOP.format("a", 0.9) + tank.format(of_100_kwh, hours)
    lost = twin.run(workspace(tmp_path / "plant", text), ASKED, changed=down("chiller"))
    assert lost.paired["stopped_pieces"] == (120.0, 120.0)
    assert lost.paired["cold_stopped_h"] == (2.0, 2.0)


def test_a_receiver_bridges_until_its_pressure_is_gone(tmp_path: Path) -> None:
    """At 600 of 1000 Nm3/h the compressor holds 675 kPa; V · 125 kPa / 101.325 kPa · 600 Nm3/h is 1.1 h, so the fifth quarter stops."""
    volume = 1.1 * 600.0 * 101.325 / 125.0
    for size, hours in ((volume, 2.0), (10.0, 3.0)):
        context = workspace(tmp_path / f"plant-{size:.0f}", COLD + CHILLER.format("chiller", 200) + AIR.format(size))
        lost = twin.run(context, ASKED, changed=down("c1"))
        assert lost.paired["network_stopped_h"] == (hours, hours)
        assert lost.paired["stopped_pieces"][0] == pytest.approx(60.0 * hours, abs=1.0)
        assert lost.as_json()["stopped"]["causes"][0]["cause"] == "network"  # type: ignore[index]


def test_what_is_tolerated_and_the_start_again_count(tmp_path: Path) -> None:
    text = ONE + STOP.format("a", 0.9) + "tolerated_minutes = 30\nrestart_minutes = 60\n"
    lost = twin.run(workspace(tmp_path / "plant", text), ASKED, changed=down("chiller"))
    assert lost.paired["cold_stopped_h"] == (3.5, 3.5), (
        "half an hour of three is borne, an hour is needed to start again"
    )
    assert lost.paired["cold_unmet_kwh"] == pytest.approx((50.0, 50.0)), "what was borne was not served"


def test_starting_again_may_take_for_ever(tmp_path: Path) -> None:
    """From 11 o'clock of the second day nothing is made any more; how many quarter hours that were to be is no matter of work."""
    text = ONE + STOP.format("a", 0.9) + "restart_minutes = 9e8\n"
    lost = twin.run(workspace(tmp_path / "plant", text), ASKED, changed=down("chiller"))
    assert lost.paired["stopped_pieces"] == (240.0, 240.0)


def test_with_half_of_the_chillers_only_what_cannot_be_served_stops(tmp_path: Path) -> None:
    limits = STOP.format("a", 0.9) + STOP.format("b", 0.9)
    one = twin.run(workspace(tmp_path / "first", TWO + limits, "ab"), ASKED, changed=down("c1"))
    assert open_h(one) == {"a": 3.0}, "the first of the file stops, the other has all it asks for"
    assert (pieces(one, 0), pieces(one, 1)) == (780, 960)
    turning = twin.run(workspace(tmp_path / "turns", "stops_turn_minutes = 60\n" + TWO + limits, "ab"), ASKED, changed=down("c1"))  # fmt: skip
    assert open_h(turning) == {"a": 2.0, "b": 1.0}, "an hour each, in turns"
    patient = TWO + STOP.format("a", 0.5) + STOP.format("b", 0.5)
    assert open_h(twin.run(workspace(tmp_path / "patient", patient, "ab"), ASKED, changed=down("c1"))) == {}
    enough = TWO.replace("open_kw = 100", "open_kw = 50") + limits
    assert open_h(twin.run(workspace(tmp_path / "enough", enough, "ab"), ASKED, changed=down("c1"))) == {}


def test_what_a_waiting_station_does_not_ask_for_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`a` and `b` ask for 600 Nm3/h each and get 700, so `a` stands; but while the cold of `c` is gone `b` waits for it, and `a` works."""
    row = '\n[[air]]\nid = "guns-{0}"\nstations = ["{0}"]\nnm3_per_h = {{ working = 600 }}\n\n[[stops]]\nid = "no-air-{0}"\nair = "guns-{0}"\nbelow_kpa = 550\n'
    air = AIR.format(10).split("[[air]]")[0].replace("flow_nm3_per_h = 1000", "flow_nm3_per_h = 700")
    cold = ONE.replace("bath-a", "bath-c") + STOP.format("c", 0.9)
    context = workspace(tmp_path / "plant", cold + air + row.format("a") + row.format("b"), "abc")
    line = STATION.format("a") + STATION.format("b").replace("shop =", 'takes = ["between"]\nshop =')
    line += STATION.format("c").replace("shop =", 'gives = "between"\nshop =')
    (tmp_path / "plant" / "twin.toml").write_text(
        line + '[[buffers]]\nid = "between"\ncapacity = 5\n', encoding="utf-8"
    )
    plain, lost = twin.run(context, ASKED), twin.run(context, ASKED, changed=down("chiller"))
    assert (pieces(plain, 0), pieces(plain, 1)) == (0, 959)
    assert lost.around is not None
    assert lost.around.stopped is not None
    assert (lost.around.stopped.unsettled, open_h(lost)["c"]) == (0, 3.0)
    assert 150 <= pieces(lost, 0) <= 180, "three hours, less the quarter in which the last piece left `b`"
    assert pieces(lost, 1) == pytest.approx(960 - 180, abs=3)
    monkeypatch.setattr(twin_stopped, "MOST_RELEASES", 0)
    assert pieces(twin.run(context, ASKED, changed=down("chiller")), 0) == 0


def test_a_hall_beyond_its_limits_sends_people_home(tmp_path: Path) -> None:
    hall = (
        '\n[[halls]]\nid = "hall"\nname = { zh = "厂房", en = "hall" }\nshop = "paint"\nenvelope_kw_per_k = 2\nheat_kwh_per_k = 20\ngains_kw = 40\n'
        'cool_celsius = 26\ncool_kw = 150\ncool_from = "cold"\n\n[[stops]]\nid = "hot"\nhall = "hall"\nstations = ["a"]\nabove_celsius = 30\n'
    )
    context = workspace(tmp_path / "plant", ONE + hall)
    assert open_h(twin.run(context, ASKED)) == {}
    lost = twin.run(context, ASKED, changed=down("chiller"))
    assert 0.5 <= open_h(lost)["a"] <= 3.5, "it takes a while to grow warm, and to cool"
    assert lost.paired["hall_stopped_h"] == (open_h(lost)["a"],) * 2


def test_each_cause_is_told_with_what_it_costs_alone(tmp_path: Path) -> None:
    text = ONE + STOP.format("a", 0.9) + AIR.format(10)
    change = {"utilities": {"down": [{"utility": "chiller", **THREE_HOURS}, {"utility": "c1", "day": 2, "at": "13:00", "hours": 2}]}}  # fmt: skip
    lost = twin.run(workspace(tmp_path / "plant", text), ASKED, changed=change)
    assert lost.paired["stopped_pieces"] == (240.0, 240.0), "11 to 15 o'clock"
    assert lost.around is not None
    assert lost.around.stopped is not None
    by = {one.id: (one.open_h.mean, one.pieces.mean) for one in lost.around.stopped.causes}
    assert by == {"cold": (3.0, 180.0), "network": (2.0, 120.0)}, "the hour of both counts for both"


def test_a_scenario_changes_limits_and_is_compared(tmp_path: Path) -> None:
    context = workspace(tmp_path / "plant", TWO + STOP.format("a", 0.9) + STOP.format("b", 0.9), "ab")
    out = Scenario("out", Text("停机", "out"), down("c1"))
    kept = Scenario("kept", Text("容忍", "kept"), down("c1", stops={"stop-a": {"below_fraction": 0.4}, "stop-b": {"below_fraction": 0.4}}))  # fmt: skip
    less = Scenario("less", Text("少", "less"), {"remove": ["a"], **down("c1")})
    gone = Scenario("gone", Text("无", "gone"), down("c1", remove=["bath-a"]))
    found = {one.scenario.id: one for one in twin_compare.compare(context, ASKED, (out, kept, less, gone)).scenarios}
    assert found["out"].differences["output"].mean == -180.0
    assert found["out"].differences["cold_stopped_h"].mean == 3.0
    told = {row["figure"]: row for row in found["out"].figures_as_json()}
    assert told["stopped_pieces"]["alarming"]
    assert found["kept"].differences["stopped_pieces"].mean == 0.0
    assert found["less"].simulated.stations[0].station == "b"
    assert "a" not in open_h(found["less"].simulated)
    assert open_h(found["gone"].simulated) == {}, "a stop goes with what it hangs on; the rest can be served"


def test_a_replay_shows_the_station_locked_out(tmp_path: Path) -> None:
    context = workspace(tmp_path / "plant", ONE + STOP.format("a", 0.9))
    folder = tmp_path / "plant" / "scenarios"
    folder.mkdir()
    (folder / "out.toml").write_text('title = { zh = "停", en = "out" }\n[[utilities.down]]\nutility = "chiller"\nday = 1\nat = "11:00"\nhours = 3\n', encoding="utf-8")  # fmt: skip
    day = date(2025, 7, 15)
    seen = [twin_replay.replay(context, twin_replay.Asked(day, scenario=name)).output for name in (None, "out")]
    assert seen == [480, 300]


def test_every_fault_of_a_stop_is_told(tmp_path: Path) -> None:
    rows = (
        'id = "none"\nstations = ["a"]\nbelow_fraction = 0.5\n',
        'id = "both"\nload = "bath-a"\nair = "guns"\nbelow_fraction = 0.5\n',
        'id = "who"\nload = "bath-a"\nbelow_fraction = 0.5\n',
        'id = "what"\nload = "bath-x"\nstations = ["a"]\nbelow_fraction = 0.5\n',
        'id = "limit"\nload = "bath-a"\nstations = ["a"]\n',
        'id = "other"\nload = "bath-a"\nstations = ["a"]\nbelow_fraction = 0.5\nbelow_kpa = 500\n',
    )
    text = ONE + "".join(f"\n[[stops]]\n{row}" for row in rows)
    with pytest.raises(FaultyData) as caught:
        twin.run(workspace(tmp_path / "a", text), ASKED)
    where = {problem.column for problem in caught.value.problems}
    assert where == {"stops.none", "stops.both", "stops.who.stations", "stops.what.load", "stops.limit", "stops.other.below_kpa"}  # fmt: skip
    assert all(problem.file == "utilities.toml" and problem.hint.zh for problem in caught.value.problems)
    with pytest.raises(FaultyData) as caught:
        twin.run(workspace(tmp_path / "b", ONE + STOP.format("a", 1.2) + 'staions = ["a"]\n'), ASKED)
    assert {problem.column for problem in caught.value.problems} == {
        "stops.stop-a.below_fraction",
        "stops.stop-a.staions",
    }
    with pytest.raises(FaultyData) as caught:
        twin.run(workspace(tmp_path / "c", ONE + STOP.format("a", 0.9).replace('["a"]', '["x"]')), ASKED)
    assert caught.value.problems[0].column == "stops.stop-a.stations"
