"""Utilities fitted to their meters: a plant whose meters the model made gives its figures back; written, told, and kept where worse."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import NOW, SMALL_PLANT

from zerofactory.errors import FaultyData, Text
from zerofactory.optimisation.utilities.groups import days, groups, joined
from zerofactory.optimisation.utilities.knobs import knobs, turned
from zerofactory.runs import import_data, twin, twin_calibrate, twin_file, twin_utilities_file
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.twin_utilities_meters import KEPT, Question, Tuned, taken, tune
from zerofactory.runs.twin_utilities_states import Passed, Past, driven, states
from zerofactory.store.workspace import Workspace

MONTHS = ("2025-01", "2025-04", "2025-05", "2025-07")
METERS = "".join(
    f'[[meters]]\nid = "{name}"\nname = {{ zh = "{name}表", en = "{name}" }}\ncarrier = "{carrier}"\nkind = "interval"\nunit = "{unit}"\nshop = "paint"\nmaximum = 1e6\nminimum = 0.0\n\n'
    for name, carrier, unit in (("EF", "electricity", "kWh"), ("EC", "electricity", "kWh"), ("GB", "natural_gas", "Nm3"), ("EX", "electricity", "kWh"))
)  # fmt: skip
PLANT = (
    SMALL_PLANT
    + METERS
    + """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "17:00:00" }]
weekdays = [1, 2, 3, 4, 5, 6]

[[lines]]
id = "booth"
name = { zh = "喷漆室", en = "booth" }
shop = "paint"
"""
)
TWIN = """
[[stations]]
line = "booth"
cycle = { kind = "exponential", mean_s = 60 }
warm_up_s = 1800
draws.electricity = { power = { off = 2, idle = 40, working = 100 }, meters = ["E1"] }
"""
UTILITIES = """
gas_kwh_per_nm3 = 10.8
weather = { place = "shanghai" }

[[booths]]
id = "cabin"
name = { zh = "喷房", en = "cabin" }
shop = "paint"
stations = ["booth"]
supply_m3_per_h = 40000
recirculated_fraction = 0.3
window = { low_celsius = 22, high_celsius = 25, low_fraction = 0.5, high_fraction = 0.7 }
rest = { low_celsius = 5, high_celsius = 40 }
flow_fraction = { off = 0.5 }
fan_kw = 60
fan_heat_fraction = 0.5
heat_from = "gas"
cool_from = "cold"
meters = { electricity = ["EF"], natural_gas = ["GB"] }

[[halls]]
id = "hall"
name = { zh = "厂房", en = "hall" }
shop = "paint"
envelope_kw_per_k = 8
heat_kwh_per_k = 120
fan_kw = 10
meters = { electricity = ["E1"] }

[[loops]]
id = "cold"
name = { zh = "冷冻水", en = "chilled water" }
hot = false
supply_celsius = 7
return_celsius = 12

[[chillers]]
id = "chiller"
name = { zh = "冷水机", en = "chiller" }
shop = "utilities"
loop = "cold"
cooling_kw = 800
rated_eer_fraction = 5
rated_condenser_celsius = 30
approach_k = 5
least_condenser_celsius = 15
eer_maximum_fraction = 9
meters = { electricity = ["EC"] }
"""
ONE_DAY = twin.Asked(date(2025, 1, 6), days=1, warm_up_days=1, runs=1)
TRUTH = {
    "fan_kw": 75.0,
    "flow_fraction.off": 0.7,
    "recirculated_fraction": 0.45,
    "window.low_celsius": 20.0,
    "rated_eer_fraction": 4.0,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Return a plant with four months of readings: a booth and a chiller that are not as utilities.toml says, and 2 % of scatter."""
    folder = tmp_path_factory.mktemp("tuned") / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    (folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    (folder / "utilities.toml").write_text(UTILITIES, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    context = Context(Workspace.open(folder), NOW, "test")
    line = twin_file.read(context)
    beside = twin_utilities_file.read(context, line)
    assert beside is not None
    months = tuple(twin_calibrate.month_of_days(context, label, None) for label in MONTHS)
    drive = driven(context, line, beside, Past(months, {}, {}))
    (group,) = groups(beside.utilities, joined(beside.utilities, {("cabin", "electricity"): ("EF",), ("cabin", "natural_gas"): ("GB",), ("chiller", "electricity"): ("EC",)}))  # fmt: skip
    given = tuple(one for one in knobs(group.utilities) if one.key in TRUTH)
    daily = days(group, turned(group.utilities, given, list(TRUTH.values())), drive)
    daily = daily * (1.0 + np.random.default_rng(4).normal(0.0, 0.02, daily.shape))
    rows, place = ["meter,time,value"], 0
    for month in months:
        opened = month.open_fraction.reshape(-1, 96)
        for number, day in enumerate(month.days):
            begin = datetime.combine(day, datetime.min.time())
            for slot in range(96):
                at = begin + timedelta(minutes=15 * slot)
                rows.append(f"E1,{at},{25.0 if opened[number, slot] else 0.5}")
                rows += [f"{meter},{at},{daily[n, place] / 96:.4f}" for n, meter in enumerate(("EF", "GB", "EC"))]
            place += 1
    (folder.parent / "in.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    import_data.run(context, [folder.parent / "in.csv"])
    return context


@pytest.fixture(scope="module")
def done(made: Context) -> twin_calibrate.Calibration:
    return twin_calibrate.calibrate(made, twin_calibrate.Asked(holdout=("2025-05",), utilities=True))


def tuned(done: twin_calibrate.Calibration) -> Tuned:
    assert done.tuned is not None
    return done.tuned


def test_a_plant_gives_its_figures_back(done: twin_calibrate.Calibration) -> None:
    """What the readings tell holds the truth in its interval; stations were seen by their meter, not told."""
    found = {one.knob.key: one for one in tuned(done).figures if one.state == "fitted"}
    assert {"fan_kw", "flow_fraction.off", "window.low_celsius"} <= set(found)
    for key, one in found.items():
        if key in TRUTH:
            assert one.low <= TRUTH[key] <= one.high, key
            assert one.taken
    flow = next(one for one in tuned(done).figures if one.knob.key == "supply_m3_per_h")  # acts like the fresh share
    assert flow.low < 40_000.0 < flow.high
    assert flow.high - flow.low > 0.15 * flow.value


def test_months_left_out_are_predicted(done: twin_calibrate.Calibration) -> None:
    """The month held out and each month in turn: far off by the file, within some per cent by the fit."""
    seen = {one.gauge.meters[0]: one for one in tuned(done).seen}
    assert set(seen) == {"EF", "GB", "EC"}
    for name, one in seen.items():
        assert one.in_turn.labels == ("2025-01", "2025-04", "2025-07")
        assert one.held_out is not None
        assert abs(one.held_out.total_error("fitted")) < 0.05 < abs(one.held_out.total_error("stated")), name
        assert abs(one.fitted.total_error("fitted")) < 0.01
    for name in ("EF", "GB"):  # of cold there is one month only: without it the chiller cannot be known
        assert seen[name].in_turn.mean_error("stated") > 0.15
        assert seen[name].in_turn.mean_error("fitted") < 0.06
    measured = sum(seen["EF"].fitted.measured)
    assert measured == pytest.approx(sum(seen["EF"].in_turn.measured))


def test_the_model_as_the_file_has_it_is_what_it_is_without_a_fit(
    made: Context, done: twin_calibrate.Calibration
) -> None:
    """The column of the file is the model driven by the calendar, which the meter of the station shows."""
    line = twin_file.read(made)
    beside = twin_utilities_file.read(made, line, fitted=False)
    assert beside is not None
    month = (twin_calibrate.month_of_days(made, "2025-05", None),)
    (group,) = groups(beside.utilities, joined(beside.utilities, {("cabin", "electricity"): ("EF",)}))
    alone = days(group, group.utilities, driven(made, line, beside, Past(month, {}, {}))).sum()
    seen = next(one for one in tuned(done).seen if one.gauge.meters == ("EF",))
    assert seen.held_out is not None
    assert seen.held_out.stated[0] == pytest.approx(alone, rel=1e-6)


def test_a_meter_that_counts_something_else_is_not_fitted_to_and_what_has_none_is_told(
    done: twin_calibrate.Calibration,
) -> None:
    notes = " ".join(one.en for one in tuned(done).notes)
    assert "E1 also counts station booth: hall is not fitted to it." in notes
    assert "No meter of their own: hall (electricity)." in notes
    assert not any(one.knob.id == "hall" for one in tuned(done).figures)
    assert "No measured temperature: the typical year stands in" in notes


def test_what_is_found_is_written_with_its_interval_and_the_file_stays(
    made: Context, done: twin_calibrate.Calibration
) -> None:
    folder = made.workspace.folder
    before = (folder / "utilities.toml").read_bytes()
    twin_calibrate.write(made, done)
    assert (folder / "utilities.toml").read_bytes() == before
    with (folder / "utilities.fitted.csv").open(encoding="utf-8", newline="") as opened:
        rows = {row["key"]: row for row in csv.DictReader(opened)}
    row = rows["window.low_celsius"]
    assert float(row["low"]) < float(row["value"]) < float(row["high"])
    assert (row["first_month"], row["last_month"], row["meters"]) == ("2025-01", "2025-07", "EF GB")
    beside = twin_utilities_file.read(made, twin_file.read(made))
    assert beside is not None
    cabin = beside.utilities.booths[0]
    assert cabin.window.low_celsius == pytest.approx(20.0, abs=1.0)
    assert cabin.flow_fraction["off"] == pytest.approx(0.7, abs=0.03)
    assert cabin.fan_kw == pytest.approx(75.0, rel=0.03)
    ran = twin.run(made, twin.Asked(date(2025, 1, 6), days=1, warm_up_days=1, runs=1))
    assert ran.around is not None
    again = twin_calibrate.calibrate(made, twin_calibrate.Asked(holdout=("2025-05",), utilities=True))
    assert [one.value for one in tuned(again).figures] == [
        one.value for one in tuned(done).figures
    ]  # from the file on, not from the fit
    (folder / "utilities.fitted.csv").unlink()


def test_what_was_written_is_kept_where_it_was_not_asked_about_and_goes_where_it_was(
    made: Context, done: twin_calibrate.Calibration
) -> None:
    """Powers fitted alone leave the figures of the meters; a fit of them that finds nothing leaves none of an earlier one."""
    path = made.workspace.folder / "utilities.fitted.csv"
    twin_calibrate.write(made, done)
    before, origin = path.read_bytes(), twin.run(made, ONE_DAY).as_json()["utilities_fitted"]
    assert origin == {"figures": len(before.splitlines()) - 1, "first_month": "2025-01", "last_month": "2025-07"}
    twin_calibrate.write(made, replace(done, tuned=None))
    assert path.read_bytes() == before
    twin_calibrate.write(made, replace(done, tuned=Tuned()))
    assert path.read_text(encoding="utf-8").splitlines() == [before.decode().splitlines()[0]]
    assert twin.run(made, ONE_DAY).as_json()["utilities_fitted"] is None
    path.unlink()
    twin_calibrate.write(made, replace(done, tuned=Tuned()))
    assert not path.exists()


def test_a_fault_of_what_was_written_names_its_file(made: Context) -> None:
    path = made.workspace.folder / "utilities.fitted.csv"
    head = "table,id,key,value,low,high,first_month,last_month,meters\n"
    line = twin_file.read(made)
    path.write_text(head + "chillers,chiller,rated_eer_fraction,nan,,,2025-01,2025-07,EC\n", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        twin_utilities_file.read(made, line)
    assert [(one.file, one.column) for one in caught.value.problems] == [("utilities.fitted.csv", "chillers.chiller.rated_eer_fraction")]  # fmt: skip
    path.write_text(head + "network,network,leaks.x.number,3,,,2025-01,2025-07,\n", encoding="utf-8")
    assert twin_utilities_file.read(made, line) is not None  # there is no such leak: passed over
    path.unlink()


def test_hours_that_differ_from_the_shifts_are_told(
    made: Context, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A station that its meter saw on two hours longer than its shift: the fit is by those hours, a simulation by the shifts."""
    from zerofactory.cli.twin_utilities import show_meters

    line = twin_file.read(made)
    beside = twin_utilities_file.read(made, line, fitted=False)
    assert beside is not None
    months = tuple(twin_calibrate.month_of_days(made, label, None) for label in MONTHS[:2])
    opened = np.concatenate([one.open_fraction for one in months])
    longer = np.maximum(opened, np.roll(opened, 8))
    found = tune(made, line, beside, Question(Past(months, {"booth": Passed(longer, longer)}, {}), MONTHS[:2]))
    (hours,) = found.hours
    warm = sum(1 for day in opened.reshape(-1, 96) if day.any()) * 0.5
    assert hours.shifts_h == pytest.approx(float(opened.sum()) / 4.0 + warm)
    assert hours.seen_h == pytest.approx(float(longer.sum()) / 4.0 + warm)
    (group,) = groups(beside.utilities, joined(beside.utilities, {("cabin", "electricity"): ("EF",)}))
    daily = days(group, group.utilities, driven(made, line, beside, Past(months, {}, {})))[0]
    fans = next(one for one in found.seen if one.gauge.meters == ("EF",))
    assert sum(fans.by_shifts.stated) == pytest.approx(float(daily[1:].sum()))  # the first day is not compared
    assert sum(fans.by_shifts.fitted) < 0.95 * sum(fans.fitted.fitted)
    monkeypatch.setenv("ZF_LANG", "en")
    show_meters(replace(found, notes=(Text("甲[/乙]", "one [/two]"),)))
    shown = capsys.readouterr().out
    assert f"on for {hours.seen_h:,.0f} h by the meters, {hours.shifts_h:,.0f} h by" in shown
    assert "one [/two]" in shown


def test_it_is_asked_for(made: Context) -> None:
    plain = twin_calibrate.calibrate(made, twin_calibrate.Asked(MONTHS[:2]))
    assert plain.tuned is None
    assert plain.as_json()["utility_meters"] is None
    assert taken(plain.tuned) == ()


def test_a_fit_that_predicts_worse_is_not_taken(made: Context, tmp_path: Path) -> None:
    """Meters that no physics follows: what they show in one month is not what they show in the others."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for name, text in (("factory.toml", PLANT), ("twin.toml", TWIN), ("utilities.toml", UTILITIES)):
        (folder / name).write_text(
            text.replace('fan_kw = 10\nmeters = { electricity = ["E1"] }', "fan_kw = 10"), encoding="utf-8"
        )
    Workspace.create(folder, at=stamp(NOW), actor="test")
    context = Context(Workspace.open(folder), NOW, "test")
    line = twin_file.read(context)
    beside = twin_utilities_file.read(context, line)
    assert beside is not None
    labels = ("2025-04", "2025-05")
    months = tuple(twin_calibrate.month_of_days(context, label, None) for label in labels)
    (group,) = groups(beside.utilities, joined(beside.utilities, {("cabin", "electricity"): ("EF",)}))
    daily = days(group, group.utilities, driven(context, line, beside, Past(months, {}, {})))[0]
    daily[:30] *= 1.6
    daily[30:] *= 0.6
    rows, place = ["meter,time,value"], 0
    for month in months:
        opened = month.open_fraction.reshape(-1, 96)
        for number, day in enumerate(month.days):
            for slot in range(96):
                at = datetime.combine(day, datetime.min.time()) + timedelta(minutes=15 * slot)
                rows += [f"E1,{at},{25.0 if opened[number, slot] else 0.5}", f"EF,{at},{daily[place] / 96:.4f}"]
            place += 1
    (tmp_path / "in.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    import_data.run(context, [tmp_path / "in.csv"])
    found = twin_calibrate.calibrate(context, twin_calibrate.Asked(labels, utilities=True))
    fans = next(one for one in tuned(found).seen if one.gauge.meters == ("EF",))
    assert fans.fitted.fitted == fans.fitted.stated
    assert not taken(found.tuned)
    notes = [note.en for note in tuned(found).notes]
    assert any("EF" in note and "kept" in note for note in notes)
    assert "GB has no readings." in notes
    assert all(not one.taken for one in tuned(found).figures)
    assert KEPT not in {one.state for one in tuned(found).figures if one.taken}


def test_a_station_warms_up_before_it_is_on(made: Context) -> None:
    station = replace(twin_file.read(made).line.stations[0], warm_up_s=2250.0)
    on = np.zeros(12)
    on[6:9] = 1.0
    works = np.where(np.arange(12) == 7, 0.5, on)
    found = states(Passed(on, works), station)
    assert found.sum(axis=1) == pytest.approx(np.ones(12))
    assert found[:, 1] == pytest.approx([0, 0, 0, 0.5, 1, 1, 0, 0, 0, 0, 0, 0])
    assert found[7, 2] == found[7, 4] == 0.5
    assert found[9:, 0] == pytest.approx(np.ones(3))


def test_weather_that_ends_too_early_is_told_and_nothing_else_is_lost(made: Context, tmp_path: Path) -> None:
    """The powers of the stations are fitted all the same."""
    line = twin_file.read(made)
    beside = twin_utilities_file.read(made, line)
    assert beside is not None
    file = made.workspace.folder / "weather.csv"
    rows = ["started_at,ambient_celsius,dew_point_celsius,ghi_w_per_m2"]
    rows += [f"{date(2025, 1, 1 + n // 24)} {n % 24:02d}:00:00,5,1,0" for n in range(48)]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    months = tuple(twin_calibrate.month_of_days(made, label, None) for label in MONTHS[:2])
    short = replace(beside, weather=beside.weather.model_copy(update={"place": None, "file": "weather.csv"}))
    found = tune(made, line, short, Question(Past(months, {}, {}), MONTHS[:2]))
    assert not found.figures
    assert any("weather.csv has no ambient_celsius" in note.en for note in found.notes)
    file.unlink()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_fit_is_shown_in_a_hundred_columns(
    done: twin_calibrate.Calibration, language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.cells import cell_len

    from zerofactory.cli.twin_utilities import show_meters

    monkeypatch.setenv("ZF_LANG", language)
    monkeypatch.setenv("COLUMNS", "100")
    show_meters(done.tuned)
    shown = capsys.readouterr().out
    assert max(cell_len(line) for line in shown.splitlines()) <= 100
    assert "EF" in shown
    assert ("读数说明" if language == "zh" else "readings tell") in shown
    assert ("送风温度下限" if language == "zh" else "lower edge of temperature") in shown
    show_meters(None)
    assert capsys.readouterr().out == ""
    as_json = tuned(done).as_json()
    assert set(as_json) == {"figures", "meters", "hours", "notes"}
    assert json.loads(json.dumps(as_json)) == as_json
