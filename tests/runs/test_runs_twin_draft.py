"""A first twin from the plant file: the flow of a car, the takt of what was booked, powers of what was metered; what is missing is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import HEADER, NOW, SMALL_PLANT

from zerofactory.errors import FaultyData
from zerofactory.runs import import_data, twin, twin_draft, twin_file
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.init import run as init
from zerofactory.site.calendar import shifts_of
from zerofactory.store.workspace import Workspace

LINES = """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "08:00:00", end = "16:00:00" }]

[[lines]]
id = "booth"
name = { zh = "喷漆线", en = "booth line" }
shop = "paint"

[[lines]]
id = "oven"
name = { zh = "烘房线", en = "oven line" }
shop = "paint"

[[meters]]
id = "E-B"
name = { zh = "喷漆线电", en = "booth electricity" }
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "paint"
line = "booth"

[[meters]]
id = "E-B2"
name = { zh = "喷漆线风机", en = "fans of the booth" }
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "paint"
line = "booth"
parent = "E-B"
"""
MONTH = datetime(2025, 4, 1)  # noqa: DTZ001  (the plant's clock)
PIECES_A_DAY = 300


@pytest.fixture
def lined(tmp_path: Path) -> Context:
    """Return a plant of two lines with a month of readings and output."""
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(SMALL_PLANT + LINES, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


def with_readings(context: Context, folder: Path) -> int:
    """Import 100 kW within shifts and 12 kW outside for one line, and the pieces of the month; return its working days."""
    calendar = context.workspace.plant.calendar
    times = [MONTH + timedelta(minutes=15 * n) for n in range(30 * 96)]
    at_work = [bool(shifts_of(calendar, at.date())) and 8 <= at.hour < 16 for at in times]
    days = sum(bool(shifts_of(calendar, (MONTH + timedelta(days=n)).date())) for n in range(30))
    rows = [(name, at, (25.0 if works else 3.0) * part) for name, part in (("E-B", 1.0), ("E-B2", 0.4)) for at, works in zip(times, at_work, strict=True)]  # fmt: skip
    readings = folder / "四月.parquet"
    pl.DataFrame(rows, schema=["meter", "time", "value"], orient="row").write_parquet(readings)
    form = folder / "产量.csv"
    form.write_text(HEADER + f"vehicles,2025-04-01,2025-04-30,{days * PIECES_A_DAY},vehicle,,invoiced,P-1,\n", encoding="utf-8")  # fmt: skip
    import_data.run(context, [readings, form])
    return days


def test_the_draft_runs_at_the_takt_and_takes_what_was_metered(lined: Context, tmp_path: Path) -> None:
    with_readings(lined, tmp_path)
    context = Context(Workspace.open(lined.workspace.folder), NOW, "test")
    drafted = twin_draft.draft(context)
    assert drafted.takt_s == pytest.approx(8 * 3600 / PIECES_A_DAY)
    assert drafted.months == ("2025-04",)
    booth, oven = drafted.places
    assert booth.meters == {"electricity": ("E-B",)}  # the meter below it is a part of it
    assert booth.powers["electricity"]["off"] == pytest.approx(12.0)
    assert booth.powers["electricity"]["working"] == pytest.approx(100.0)
    assert oven.powers == {}
    assert (booth.gives, oven.takes) == ("booth-out", ("booth-out",))
    assert twin_draft.write(context, drafted) == context.workspace.folder / "twin.toml"
    found = twin.run(context, twin.Asked(datetime(2025, 4, 7).date(), 5, 1, 2, 1))  # noqa: DTZ001
    assert found.output.mean == pytest.approx(5 * PIECES_A_DAY, abs=5)
    metered = 5 * (8 * 100.0 + 16 * 12.0)
    assert found.energy["electricity"].mean == pytest.approx(metered, rel=0.01)


def test_a_file_that_is_there_is_not_overwritten(lined: Context, tmp_path: Path) -> None:
    drafted = twin_draft.draft(lined, 60.0)
    assert drafted.months == ()
    twin_draft.write(lined, drafted)
    with pytest.raises(FaultyData) as caught:
        twin_draft.write(lined, drafted)
    assert [one.code for one in caught.value.problems] == ["twin.there"]
    assert twin_draft.write(lined, drafted, tmp_path / "other.toml").read_text(encoding="utf-8") == drafted.text


def test_what_is_not_known_is_told(lined: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        twin_draft.draft(lined)
    assert [one.code for one in caught.value.problems] == ["twin.no_output"]
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(FaultyData) as caught:
            twin_draft.draft(lined, wrong)
        assert [one.code for one in caught.value.problems] == ["twin.takt"]
    with pytest.raises(FaultyData, match="zf twin draft"):
        twin_file.read(lined)


def test_a_plant_of_no_shop_that_makes_anything_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    text = SMALL_PLANT.replace('kind = "paint"', 'kind = "other"')
    (folder / "factory.toml").write_text(text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    with pytest.raises(FaultyData) as caught:
        twin_draft.draft(Context(Workspace.open(folder), NOW, "test"), 60.0)
    assert [one.code for one in caught.value.problems] == ["twin.no_shops"]


def test_a_whole_car_plant_flows_from_press_to_test(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    init(folder, "car-plant")
    context = Context(Workspace.open(folder), NOW, "test")
    drafted = twin_draft.draft(context, 58.0)
    by_id = {one.id: one for one in drafted.places}
    presses = [f"press-{n}-out" for n in range(1, 5)]
    assert list(by_id["underbody"].takes) == presses  # panels of one car from four lines
    assert all(not by_id[name.removesuffix("-out")].takes for name in presses)
    assert set(by_id["trim"].takes) == {"topcoat-2-out", "engine-assembly-out", "cell-pilot-out", "die-cast-4-out"}
    assert [one.id for one in drafted.places if one.gives is None] == ["test"]
    assert set(drafted.rooms.values()) == {5, 30}
    twin_draft.write(context, drafted)
    assert len(twin_file.read(context).line.stations) == 26  # no fault in names, flow or powers


def test_a_plant_of_feeders_alone_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    text = SMALL_PLANT.replace('kind = "paint"', 'kind = "casting"')
    (folder / "factory.toml").write_text(text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    drafted = twin_draft.draft(Context(Workspace.open(folder), NOW, "test"), 60.0)
    assert [(one.id, one.takes, one.gives) for one in drafted.places] == [("paint", (), None)]
    assert 'shop = "paint"' in drafted.text


SIGNAL = """
[[state_signals]]
id = "{0}"
name = {{ zh = "{0}", en = "{0}" }}
shop = "paint"
line = "booth"
states = {{ 0 = "off", 3 = "working" }}
"""


def test_a_line_of_two_signals_has_two_machines_that_keep_the_takt(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    text = SMALL_PLANT + LINES + SIGNAL.format("S-1") + SIGNAL.format("S-2")
    (folder / "factory.toml").write_text(text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    context = Context(Workspace.open(folder), NOW, "test")
    twin_draft.write(context, twin_draft.draft(context, 60.0))
    found = twin_file.read(context)
    booth, oven = found.line.stations
    assert (booth.machines, booth.cycle.mean_s) == (2, 120.0)
    assert (oven.machines, oven.cycle.mean_s) == (1, 60.0)
    assert [one.id for one in found.signals["booth"]] == ["S-1", "S-2"]
