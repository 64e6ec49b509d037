"""Tariffs: published tables, timetables, carried months, hot and special days, gaps and overlaps, clocks, negative prices."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from zerofactory.assets.gas_price import gas_series, read_gas_price
from zerofactory.assets.grid import Grid
from zerofactory.assets.tariff import (
    Tariff,
    band_shares,
    capacity_price_cny_per_kva_month,
    demand_price_cny_per_kw_month,
    export_price_cny_per_kwh,
    market_price_cny_per_kwh,
    month_tariff,
    price_cny_per_kwh,
    tariff_problems,
)
from zerofactory.assets.tariff_file import TariffFiles, all_problems, areas, choices, packaged, read_tariff, tariff
from zerofactory.errors import FaultyData, Misuse, NotFound
from zerofactory.periods import Period

DATA = Path(os.environ.get("ZF_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
LARGE = "two_part_large_industry"
AUGUST = Grid.of_period(Period.parse("2026-08"), 15)
YEAR = Grid.of_period(Period.parse("2025"), 60)

RULES = """
title = { zh = "试", en = "trial" }
time_zone = "Asia/Shanghai"
source = "a hand-made case"
"""
HEAD = (
    "month,scheme,voltage,hours,flat_cny_per_kwh,peak_cny_per_kwh,sharp_peak_cny_per_kwh,valley_cny_per_kwh,"
    "deep_valley_cny_per_kwh,purchase_cny_per_kwh,line_loss_cny_per_kwh,system_operation_cny_per_kwh,"
    "transmission_distribution_cny_per_kwh,government_funds_cny_per_kwh,base_cny_per_kwh,demand_charge_cny_per_kw_month,"
    "capacity_charge_cny_per_kva_month,status\n"
)


def own(rows: str, rules: str = "") -> TariffFiles:
    return TariffFiles("own", RULES + rules, HEAD + rows)


def trial(rows: str, rules: str = "", carry: str = "") -> Tariff:
    found, problems = read_tariff(own(rows, rules), "s", "v", carry)
    assert found is not None, [problem.sentence("en") for problem in problems]
    return found


PLAIN = "2026-08,s,v,00:00-08:00=valley 08:00-24:00=peak,0.5,0.8,1.0,0.3,0.1,,,,,,0.4,,,placeholder\n"


def test_seven_grid_areas_are_packaged_without_a_fault() -> None:
    assert areas() == ("beijing", "jiangsu", "jilin", "shaanxi", "shanghai", "sichuan", "zhejiang")
    for area in areas():
        given = packaged(area)
        assert list(all_problems(given)) == []
        for scheme, voltage in choices(given):
            found, _ = read_tariff(given, scheme, voltage)
            assert found is not None
            assert found.source
            for month in found.published:
                grid = Grid.of_period(Period.parse(month), 30)
                assert np.isfinite(price_cny_per_kwh(found, grid)).all()
                assert sum(band_shares(found, grid).values()) == pytest.approx(1.0)


def test_packaged_prices_are_those_published() -> None:
    """Every price of every row of the data set comes back from the tariff at every half hour of its month."""
    path = DATA / "tariffs" / "state_grid_cn" / "tou_tariffs_2025_08_to_2026_08.csv"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here (folder in ZF_DATA)")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 189
    for row in rows:
        found = tariff(row["province_en"].lower(), row["scheme"], row["voltage"])
        first = datetime.fromisoformat(f"{row['month']}-10T00:00+08:00").astimezone(UTC)
        own_prices = price_cny_per_kwh(found, Grid(first, 30, 48))
        expected = np.full(48, np.nan)
        for span in row["hours"].split():
            clock, band = span.split("=")
            start, end = (int(h[:2]) * 2 + int(h[3:]) // 30 for h in clock.split("-"))
            expected[start:end] = float(row[f"{band}_cny_per_kwh"])
        assert own_prices == pytest.approx(expected, abs=1e-12), (row["province_en"], row["month"], row["voltage"])


def test_shanghai_seasons_by_hand() -> None:
    """110 kV, August 2026: flat 0.604413, base 0.4785 (purchase + transmission); winter peak 1.8, other months 1.6 and 0.5."""
    found = tariff("shanghai", LARGE, "110kV", "2026-08")
    base = Decimal("0.428899") + Decimal("0.0953")
    for month, band, ratio in (
        ("2025-01", "peak", "1.8"),
        ("2025-04", "peak", "1.6"),
        ("2025-04", "valley", "0.5"),
        ("2025-12", "sharp_peak", "2.25"),
    ):
        priced, problems = month_tariff(found, month)
        assert priced is not None, problems
        assert priced.prices[band] == Decimal("0.604413") + (Decimal(ratio) - 1) * base
    august, _ = month_tariff(found, "2026-08")
    assert august is not None
    for band, ratio in (
        ("peak", "1.8"),
        ("valley", "0.4"),
        ("sharp_peak", "2.25"),
    ):  # the notice reproduces the published row
        assert august.prices[band] == pytest.approx(
            Decimal("0.604413") + (Decimal(ratio) - 1) * base, abs=Decimal("2e-6")
        )
    prices = price_cny_per_kwh(found, YEAR)
    noon = YEAR.minute_of_day == 12 * 60
    assert prices[noon & (YEAR.month_number == 7)] == pytest.approx(1.259662, abs=1e-6)
    assert prices[noon & (YEAR.month_number == 1)].max() < 1.03
    evening = YEAR.minute_of_day == 19 * 60
    assert prices[evening & (YEAR.month_number == 1)].min() > 1.25


def test_a_month_without_a_row_is_named_unless_carried() -> None:
    found = tariff("shanghai", LARGE, "110kV")
    with pytest.raises(FaultyData) as caught:
        price_cny_per_kwh(found, Grid.of_period(Period.parse("2025"), 60))
    assert len(caught.value.problems) == 12
    assert "2025-03" in caught.value.problems[2].message.zh
    assert "2026-08" in caught.value.problems[2].hint.en
    carried = tariff("shanghai", LARGE, "110kV", "2026-08")
    problems = tariff_problems(carried, YEAR)
    assert [problem.severity for problem in problems] == ["warning"]
    same = tariff("zhejiang", LARGE, "35kV", "same_month")
    assert [month_tariff(same, f"2027-{m:02d}")[0].row.month for m in (1, 8)] == ["2026-01", "2026-08"]  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        tariff("shanghai", LARGE, "110kV", "2024-01")


def test_a_one_part_row_is_not_carried_into_a_season_it_has_no_rule_for() -> None:
    found = tariff("shanghai", "single_part", "<1kV", "2026-08")
    assert tariff_problems(found, AUGUST) == []
    problems = tariff_problems(found, Grid.of_period(Period.parse("2025-01"), 60))
    assert [problem.code for problem in problems] == ["assets.tariff_season_missing"]


def test_gaps_and_overlaps_are_named_with_month_and_hour() -> None:
    rows = "2026-08,s,v,00:00-08:00=valley 09:00-24:00=peak,0.5,0.8,,0.3,,,,,,,,,,placeholder\n"
    rows += "2026-09,s,v,00:00-10:00=valley 08:30-24:00=peak,0.5,0.8,,0.3,,,,,,,,,,placeholder\n"
    rows += "2026-10,s,v,00:00-24:00=sharp_peak,0.5,0.8,,0.3,,,,,,,,,,placeholder\n"
    found, problems = read_tariff(own(rows), "s", "v")
    assert found is None
    assert [problem.code for problem in problems] == [
        "assets.tariff_gap",
        "assets.tariff_overlap",
        "assets.tariff_price",
    ]
    assert "2026-08" in problems[0].message.zh
    assert "08:00–09:00" in problems[0].message.zh
    assert "08:30–10:00" in problems[1].message.en
    assert [problem.row for problem in problems] == [2, 3, 4]
    seasons = '\n[[seasons]]\nmonths = [1, 2]\nhours = "00:00-24:00=flat"\nstatus = "placeholder"\n' * 2
    assert "assets.tariff_season" in {problem.code for problem in read_tariff(own(PLAIN, seasons), "s", "v")[1]}
    broken = PLAIN.replace("0.8", "zero point eight").replace("peak,0", "summit,0")
    codes = {problem.code for problem in read_tariff(own(broken), "s", "v")[1]}
    assert codes == {"assets.tariff_hours", "assets.tariff_number"}


def test_faults_of_own_files_are_all_named() -> None:
    """Keys, types, columns, numbers, clocks, zones: nothing of a plant's own file ends in a stack."""
    cases = {
        "not toml": ("title = ", ["assets.tariff_not_toml"]),
        "keys": ('time_zone = "Asia/Shanghai"\ncolour = 1\n', ["assets.tariff_form"] * 3),
        "zone": (RULES.replace("Asia/Shanghai", "Asia/Pudong"), ["periods.unknown_time_zone"]),
        "season": (RULES + '\n[[seasons]]\nmonths = [13]\nhours = "x"\n', ["assets.tariff_form"]),
        "clock": (
            RULES + '\n[[special_days]]\ndates = [2026-08-01]\nhours = "20:00-26:00=valley"\n',
            ["assets.tariff_hours"],
        ),
    }
    for name, (rules, codes) in cases.items():
        found, problems = read_tariff(TariffFiles("own", rules, HEAD + PLAIN), "s", "v")
        assert found is None
        assert [problem.code for problem in problems] == codes, name
        assert all(problem.message.zh and problem.message.en and problem.file for problem in problems)
    columns = read_tariff(TariffFiles("own", RULES, "month,scheme,voltage,colour\n"), "s", "v")[1]
    assert [problem.column for problem in columns] == ["hours", "flat_cny_per_kwh", "colour"]
    assert [p.code for p in read_tariff(own(PLAIN.replace("0.8", "NaN")), "s", "v")[1]] == [
        "assets.tariff_price",
        "assets.tariff_number",
    ]


def test_faults_of_a_gas_price_are_named() -> None:
    good = 'title = { zh = "气", en = "gas" }\nunit = "m3"\nsource = "x"\n'
    step = "[[steps]]\nfrom_m3 = 0\nprice_cny_per_m3 = 3.5\n"
    assert read_gas_price("own", good + step)[1] == []
    assert [p.code for p in read_gas_price("own", good + step.replace("= 0", "= 5"))[1]] == ["assets.gas_price"]
    assert [p.code for p in read_gas_price("own", good + step.replace("from_m3", "from_nm3"))[1]] == [
        "assets.gas_price"
    ]
    assert [p.code for p in read_gas_price("own", good.replace("m3", "kg") + step)[1]] == ["assets.tariff_form"]
    falling = read_gas_price("own", good + step + step.replace("= 0", "= 9").replace("3.5", "3.0"))[0]
    assert falling is not None
    with pytest.raises(FaultyData, match="rise"):
        gas_series(falling, 1.0)
    rising = read_gas_price("own", good + step + step.replace("= 0", "= 900").replace("3.5", "4.0"))[0]
    assert rising is not None
    first, monthly = gas_series(rising, 1.0 / 0.9)  # one Nm3 is 1.11 m3
    assert first == pytest.approx(3.5 / 0.9)
    assert monthly["gas_second_step_from_nm3"] == pytest.approx(810.0)
    assert monthly["gas_second_step_surcharge_cny_per_nm3"] == pytest.approx(0.5 / 0.9)


def test_a_deep_valley_price_without_dates_is_said() -> None:
    october = Grid.of_period(Period.parse("2025-10"), 15)
    problems = tariff_problems(tariff("zhejiang", LARGE, "35kV"), october)
    assert [(problem.code, problem.severity) for problem in problems] == [
        ("assets.tariff_deep_valley_dates", "warning")
    ]


def test_a_border_inside_an_interval_is_averaged_over_its_minutes() -> None:
    found = trial(PLAIN.replace("08:00", "08:30"))
    hourly = price_cny_per_kwh(found, Grid.of_period(Period.parse("2026-08"), 60))
    assert hourly[8] == pytest.approx((0.3 + 0.8) / 2)
    assert hourly[7] == pytest.approx(0.3)


@pytest.mark.parametrize("time_zone", ["Asia/Shanghai", "Europe/Berlin"])
@pytest.mark.parametrize("seed", range(4))
def test_prices_equal_a_walk_over_every_minute(time_zone: str, seed: int) -> None:
    """Random timetables against the mean over minutes read one by one from the wall clock (March: Berlin loses an hour)."""
    rng = np.random.default_rng(seed)
    borders = [0, *sorted(rng.choice(np.arange(1, 48), 6, replace=False) * 30), 1440]
    bands = [str(band) for band in rng.choice(["peak", "flat", "valley"], 7)]
    hours = " ".join(
        f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}={band}"
        for a, b, band in zip(borders, borders[1:], bands, strict=False)
    )
    rows = f"2026-03,s,v,{hours},0.5,0.8,1.0,0.3,0.1,,,,,,,,,placeholder\n"
    found, _ = read_tariff(TariffFiles("own", RULES.replace("Asia/Shanghai", time_zone), HEAD + rows), "s", "v")
    assert found is not None
    step = int(rng.choice([15, 20, 30, 60]))
    grid = Grid(Period.parse("2026-03").start(time_zone) + timedelta(days=26), step, 4 * 1440 // step, time_zone)
    price = {"peak": 0.8, "flat": 0.5, "valley": 0.3}
    place = ZoneInfo(time_zone)
    walked = []
    for slot in range(grid.length):
        total = 0.0
        for minute in range(step):
            local = (grid.start + timedelta(minutes=slot * step + minute)).astimezone(place)
            at = local.hour * 60 + local.minute
            total += price[next(band for a, b, band in zip(borders, borders[1:], bands, strict=False) if a <= at < b)]
        walked.append(total / step)
    assert price_cny_per_kwh(found, grid) == pytest.approx(np.asarray(walked), abs=1e-12)


def test_hot_days_bring_the_sharp_peak() -> None:
    """Three days at 35 °C or more: from the third on; a cooler day ends the run."""
    rules = '\n[[hot_days]]\ncelsius = 35.0\ndays = 3\nhours = "13:00-14:00=sharp_peak"\n'
    unreadable = read_tariff(own(PLAIN, rules.replace("13:00-", "1pm-")), "s", "v")[1]
    assert [problem.code for problem in unreadable] == ["assets.tariff_hours"]
    found = trial(PLAIN, rules)
    grid = Grid.of_period(Period.parse("2026-08"), 60)
    air = np.full(grid.length, 25.0)
    for day in (2, 3, 4, 5, 8, 9):
        air[day * 24 + 14] = 36.0
    sharp = band_shares(found, grid, air)["sharp_peak"]
    assert np.flatnonzero(sharp).tolist() == [4 * 24 + 13, 5 * 24 + 13]
    assert band_shares(found, grid)["sharp_peak"].sum() == 0.0


def test_guangdong_rule_as_a_tariff_of_ones_own() -> None:
    """Hours and ratios of the notice (data set) over a flat price of 1: July always sharp, April only on a hot day."""
    path = DATA / "tariffs" / "guangdong_tou_2021" / "guangdong_tou_2021.json"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here (folder in ZF_DATA)")
    rule = json.loads(path.read_text(encoding="utf-8"))
    spans = sorted((first, last, band) for band, found in rule["periods"].items() for first, last in found)
    usual = " ".join(f"{first}-{last}={band}" for first, last, band in spans)
    sharp = " ".join(f"{first}-{last}=sharp_peak" for first, last in rule["sharp_peak"]["hours"])
    summer = "00:00-08:00=valley 08:00-10:00=flat 10:00-11:00=peak 11:00-12:00=sharp_peak 12:00-14:00=flat 14:00-15:00=peak 15:00-17:00=sharp_peak 17:00-19:00=peak 19:00-24:00=flat"
    ratios = f"ratios = {{ sharp_peak = {rule['sharp_peak']['ratio_to_flat']}, peak = 1.7, valley = 0.38 }}\n"
    seasons = f'\n[[seasons]]\nmonths = [7, 8, 9]\nhours = "{summer}"\nstatus = "secondary"\n{ratios}'
    seasons += (
        f'\n[[seasons]]\nmonths = [1, 2, 3, 4, 5, 6, 10, 11, 12]\nhours = "{usual}"\nstatus = "secondary"\n{ratios}'
    )
    hot = f'\n[[hot_days]]\ncelsius = 35.0\ndays = 1\nhours = "{sharp}"\n'
    row = f"2021-10,s,v,{usual},1.0,1.7,2.125,0.38,,,,,,,1.0,,,secondary\n"
    found = trial(row, seasons + hot, "2021-10")
    july = price_cny_per_kwh(found, Grid.of_period(Period.parse("2022-07"), 60))[:24]
    assert (
        july.tolist() == [0.38] * 8 + [1.0] * 2 + [1.7, 2.125] + [1.0] * 2 + [1.7] + [2.125] * 2 + [1.7] * 2 + [1.0] * 5
    )
    april = Grid.of_period(Period.parse("2022-04"), 60)
    air = np.full(april.length, 20.0)
    air[24 + 15] = 35.0
    prices = price_cny_per_kwh(found, april, air).reshape(-1, 24)
    assert prices[0].tolist() == [0.38] * 8 + [1.0] * 2 + [1.7] * 2 + [1.0] * 2 + [1.7] * 5 + [1.0] * 5
    assert prices[1, [11, 15, 16]].tolist() == [2.125] * 3
    assert (prices == 2.125).sum() == 3


def test_special_days_have_their_own_hours() -> None:
    rules = '\n[[special_days]]\ndates = [2026-08-15]\nhours = "10:00-14:00=deep_valley"\n'
    found = trial(PLAIN, rules)
    grid = Grid.of_period(Period.parse("2026-08"), 60)
    deep = np.flatnonzero(band_shares(found, grid)["deep_valley"])
    assert deep.tolist() == [14 * 24 + hour for hour in (10, 11, 12, 13)]


def test_a_tariff_of_another_clock_is_refused() -> None:
    found = tariff("shanghai", LARGE, "110kV", "2026-08")
    berlin = Grid.of_period(Period.parse("2026-03"), 60, "Europe/Berlin")
    assert [problem.code for problem in tariff_problems(found, berlin)] == ["assets.tariff_clock"]
    with pytest.raises(FaultyData, match="Europe/Berlin"):
        price_cny_per_kwh(found, berlin)


def test_a_day_of_23_hours_keeps_the_local_clock() -> None:
    rules, rows = RULES.replace("Asia/Shanghai", "Europe/Berlin"), HEAD + PLAIN.replace("2026-08", "2026-03")
    berlin, _ = read_tariff(TariffFiles("own", rules, rows), "s", "v")
    assert berlin is not None
    grid = Grid.of_period(Period.parse("2026-03"), 60, "Europe/Berlin")
    prices = price_cny_per_kwh(berlin, grid)
    assert prices == pytest.approx(np.where(grid.minute_of_day < 8 * 60, 0.3, 0.8))
    assert int((prices == 0.3).sum()) == 31 * 8 - 1


def test_market_prices_may_be_negative() -> None:
    rows = "2026-08,s,v,00:00-24:00=flat,0.5,,,,,0.3,0.02,0.03,0.1,0.05,,,,placeholder\n"
    found = trial(rows)
    market = np.full(AUGUST.length, -0.05)
    assert market_price_cny_per_kwh(found, AUGUST, market) == pytest.approx(0.15)


def test_demand_capacity_and_export_prices() -> None:
    found = tariff("shanghai", LARGE, "110kV", "2026-08")
    assert demand_price_cny_per_kw_month(found, YEAR).tolist() == [38.4] * 12
    assert capacity_price_cny_per_kva_month(found, YEAR).tolist() == [24.0] * 12
    assert export_price_cny_per_kwh(found, YEAR).tolist() == [0.4155] * 8760
    with pytest.raises(Misuse):
        export_price_cny_per_kwh(trial(PLAIN), AUGUST)
    with pytest.raises(NotFound) as caught:
        tariff("shanghai", LARGE, "11kV")
    assert f"{LARGE} / 110kV" in caught.value.choices
