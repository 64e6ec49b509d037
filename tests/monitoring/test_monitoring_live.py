"""Live figures: at the end of a month they are what closing books, to the gram; on the way they add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from zerofactory.connectors.sample import frame_of
from zerofactory.factors.load import factor_book
from zerofactory.metering.activity_table import ACTIVITIES
from zerofactory.monitoring.live import Live, Prices, Running, Snapshot
from zerofactory.monitoring.open_month import Incoming
from zerofactory.periods import Period
from zerofactory.reference_plant import series
from zerofactory.runs import simulate
from zerofactory.runs.month import Basis, MonthBook, make
from zerofactory.site.model import Plant
from zerofactory.store.workspace import read_plant

MARCH, TODAY = Period(2025, 3), date(2026, 1, 15)


@pytest.fixture(scope="module")
def plant() -> Plant:
    return read_plant(series.plant_text())


@pytest.fixture(scope="module")
def readings(plant: Plant) -> pl.DataFrame:
    """Return what the displays of the reference plant showed in March, and at its end."""
    start, end = (round(m.timestamp()) * 1_000_000 for m in (MARCH.start(plant.time_zone), MARCH.end(plant.time_zone)))
    frames = []
    for play in simulate.plays(plant):
        inside = (play.at_us >= start) & (play.at_us <= end - (play.meter.kind != "register"))
        at = play.at_us[inside]
        meter = pl.Series("meter_id", [play.meter.id] * len(at), dtype=pl.String)
        frames.append(frame_of(meter, (at, at + 1, play.values[inside], np.zeros(len(at)))))
    return pl.concat(frames).sort("started_at", "meter_id")


@pytest.fixture(scope="module")
def closed(plant: Plant, readings: pl.DataFrame) -> MonthBook:
    """Return what closing makes of the month."""
    return make(MARCH, readings, ACTIVITIES.empty(), Basis(plant, factor_book(()), TODAY))


def new(plant: Plant, prices: Prices | None = None) -> Live:
    return Live(plant, factor_book(()), MARCH, TODAY, prices or Prices({}))


def feed(live: Live, readings: pl.DataFrame, parts: int = 1) -> None:
    row = live.month.row_of
    codes = np.array([row[name] for name in readings["meter_id"]], dtype=np.int64)
    columns = [readings[name].to_physical().to_numpy() for name in ("started_at", "known_at", "value")]
    for part in np.array_split(np.arange(readings.height), parts):
        state = np.ones(len(part), dtype=np.uint8)
        live.take(Incoming(codes[part], columns[0][part], columns[1][part], columns[2][part], state))


def counted(book: MonthBook) -> pl.DataFrame:
    """Return the records a seal's total counts."""
    return book.records.filter(
        pl.col("scope").is_in([1, 2])
        & pl.col("kyoto")
        & ~pl.col("biogenic")
        & pl.col("regime").is_in(["any", "location"])
    )


def rows(snapshot: Snapshot, level: str) -> dict[tuple[str, str], int | None]:
    return {(f.id, f.carrier): f.month_gco2e for f in snapshot.figures if f.level == level}


def test_after_the_month_every_figure_is_the_closed_one(
    plant: Plant, readings: pl.DataFrame, closed: MonthBook
) -> None:
    live = new(plant)
    feed(live, readings, parts=97)
    seen = live.snapshot(settle=True)
    booked = counted(closed)
    assert seen.is_over
    assert seen.total_gco2e == booked["emissions_gco2e"].sum() > 10**9
    carriers = {source.id: plant.meter(source.meters[0]).carrier for source in plant.sources if source.meters}
    by_shop = {(shop.id, c): 0 for shop in plant.shops for c in set(carriers.values())}
    for source, shop, grams in booked.select("source_id", "shop", "emissions_gco2e").iter_rows():
        by_shop[shop, carriers[source]] += grams
    shown = rows(seen, "shop")
    for key, grams in by_shop.items():
        assert (shown.get(key) or 0) == grams, key
    for meter in plant.meters:
        amount = next(f.amount_month for f in seen.figures if f.level == "meter" and f.id == meter.id)
        assert amount == closed.month.total_milli(meter.id) / 1000.0
    quantities = {
        (a["source_id"], a["shop"]): a["quantity"] for a in closed.metered.to_dicts() if a["source_id"] in carriers
    }
    sums = live._with_virtual(live.month.month_milli)
    made = live.booking.of(sums).quantity_milli / 1000.0
    assert {(g.source.id, g.shop): q for g, q in zip(live.booking.groups, made.tolist(), strict=True)} == quantities


def test_half_way_shops_add_up_and_meters_carry_what_is_theirs(plant: Plant, readings: pl.DataFrame) -> None:
    live = new(plant)
    until = datetime(2025, 3, 12, 5, tzinfo=UTC)
    feed(live, readings.filter(pl.col("started_at") <= until), parts=11)
    seen = live.snapshot(settle=True)
    shops, meters = rows(seen, "shop"), rows(seen, "meter")
    assert sum(grams or 0 for grams in shops.values()) == seen.total_gco2e
    site = rows(seen, "site")
    assert site["site", "total"] == seen.total_gco2e
    assert meters["E-PT", "electricity"] == shops["paint", "electricity"]
    lines = ("E-PT-T1", "E-PT-T2")
    assert sum(meters[name, "electricity"] or 0 for name in lines) == pytest.approx(
        meters["E-PT", "electricity"], rel=0.02
    )
    ovens = ("G-PT-OVE", "G-PT-OVT", "G-PT-OVS", "G-PT-RTO1", "G-PT-RTO2", "G-PT-ASU1", "G-PT-ASU2")
    assert sum(meters[name, "natural_gas"] or 0 for name in ovens) == shops["paint", "natural_gas"]
    assert meters["E-IN-1", "electricity"] is not None
    assert meters["W-PT", "water"] == 0
    assert meters["A-PT", "compressed_air"] is None
    figure = next(f for f in seen.figures if (f.level, f.id) == ("meter", "A-PT"))
    assert figure.note.zh
    assert figure.month_cny is None
    assert seen.data_until is not None
    assert abs((seen.data_until - until).total_seconds()) <= 900
    assert not seen.is_over


def test_power_energy_of_today_and_cost_by_hand(plant: Plant, readings: pl.DataFrame) -> None:
    price = np.where(np.arange(2976) % 96 < 40, 0.3, 0.9)
    live = new(plant, Prices({"electricity": ("kWh", price)}))
    until = datetime(2025, 3, 2, 4, tzinfo=UTC)  # noon on 2 March on the plant's clock
    part = readings.filter((pl.col("meter_id") == "E-ST-BLK") & (pl.col("started_at") <= until))
    feed(live, part, parts=40)
    figure = next(f for f in live.snapshot().figures if f.id == "E-ST-BLK")
    values = part.sort("started_at")["value"].to_numpy()
    steps = np.diff(np.rint(values * 1000).astype(np.int64)) / 1000.0
    assert len(steps) == 144
    assert figure.amount_month == pytest.approx(values[-1] - values[0], abs=1e-9)
    assert figure.amount_today == pytest.approx(values[-1] - values[96], abs=1e-9)
    assert figure.power_kw == pytest.approx(steps[-1] * 4)
    assert figure.month_cny == pytest.approx((steps * price[:144]).sum(), rel=1e-12)
    assert figure.today_cny == pytest.approx((steps[96:] * price[96:144]).sum(), rel=1e-12)
    assert figure.until == until


def test_what_a_register_counted_since_the_last_edge_runs_on(plant: Plant, readings: pl.DataFrame) -> None:
    live = new(plant)
    until = datetime(2025, 3, 2, 4, tzinfo=UTC)
    feed(live, readings.filter(pl.col("started_at") <= until))
    before = live.snapshot()
    live.run_on({"G-00": Running(5_000), "G-PT-OVE": Running(5_000), "E-UT-CA1": Running(7_000, 2_000)})
    after = live.snapshot()
    change = {k: (rows(after, "meter")[k] or 0) - (rows(before, "meter")[k] or 0) for k in rows(before, "meter")}
    assert change["G-PT-OVE", "natural_gas"] == after.total_gco2e - before.total_gco2e > 5_000
    amounts = {f.id: f.amount_month for f in after.figures if f.level == "meter"}
    earlier = {f.id: f.amount_month for f in before.figures if f.level == "meter"}
    powers = {f.id: f.power_kw for f in after.figures if f.level == "meter"}
    assert powers["E-UT-CA1"] == 8.0
    assert (amounts["V-UT-AIR"] or 0) - (earlier["V-UT-AIR"] or 0) == pytest.approx(7.0)


def test_what_is_estimated_is_told_of_sums_too(plant: Plant, readings: pl.DataFrame) -> None:
    live = new(plant)
    until = datetime(2025, 3, 5, tzinfo=UTC)
    gap = (pl.col("meter_id") == "E-IN-1") & (pl.col("started_at") > datetime(2025, 3, 3, tzinfo=UTC))
    feed(live, readings.filter((pl.col("started_at") <= until) & ~gap))
    seen = live.snapshot(settle=True)
    figures = {f.key: f for f in seen.figures}
    assert 0.2 < figures["meter/E-IN-1/electricity"].estimated_fraction < 0.8
    assert 0.1 < figures["meter/V-SUPPLY/electricity"].estimated_fraction < 0.5
    assert (
        figures["site/site/electricity"].estimated_fraction == figures["meter/V-SUPPLY/electricity"].estimated_fraction
    )
    assert figures["shop/paint/electricity"].estimated_fraction == 0.0
    assert 0.1 < seen.estimated_fraction < 0.5
    assert seen.estimated_fraction == figures["site/site/total"].estimated_fraction


def test_a_source_without_a_factor_has_no_grams_and_says_why(plant: Plant, readings: pl.DataFrame) -> None:
    sources = tuple(replace(s, item="moonshine") if s.id == "gas-ovens" else s for s in plant.sources)
    live = new(replace(plant, sources=sources))
    feed(live, readings.filter(pl.col("started_at") <= datetime(2025, 3, 2, tzinfo=UTC)))
    seen = live.snapshot()
    assert any("gas-ovens" in problem.message.en for problem in seen.problems)
    figures = {f.key: f for f in seen.figures}
    shop = figures["shop/paint/natural_gas"]
    assert shop.month_gco2e is None
    assert "因子" in shop.note.zh
    assert figures["meter/G-PT-RTO1/natural_gas"].month_gco2e
    assert (figures["shop/casting/natural_gas"].month_gco2e or 0) > 0
