"""Forecasts and baselines of a workspace: kept with their time, found again, refused when there is nothing to go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from zerofactory.cli.main import app
from zerofactory.errors import FaultyData, NotFound
from zerofactory.metering.profile import LOAD, every_place
from zerofactory.periods import Period
from zerofactory.runs import baseline, close, forecast, import_data, profile, verify
from zerofactory.runs.context import Context


@pytest.fixture
def booked(
    small: Context,
    write_readings: Callable[..., Path],
    write_form: Callable[..., Path],
    reopen: Callable[[Context], Context],
) -> Context:
    """Return a book with January to March closed and April read but open."""
    import_data.run(small, [write_readings(1, 2, 3, 4)])
    lines = [f"vehicles,2025-{m:02d}-01,2025-{m:02d}-28,{900 + 50 * m},vehicle,,invoiced,P{m}," for m in (1, 2, 3)]
    import_data.run(reopen(small), [write_form(*lines)])
    context = reopen(small)
    for month in (1, 2, 3):
        close.run(reopen(context), Period(2025, month))
    return reopen(context)


def test_load_of_closed_and_open_months(booked: Context) -> None:
    rows = profile.load(booked, Period(2025), every_place(booked.workspace.plant))
    assert LOAD.check(rows) == []
    assert rows["place"].unique().sort().to_list() == ["E1", "site", "utilities"]
    found = profile.amounts(booked, ["E1"])
    assert found.months == ("2025-01", "2025-02", "2025-03", "2025-04")
    assert int(found.amount_milli.sum()) == rows.filter(pl.col("place") == "site")["energy_wh"].sum()
    with pytest.raises(FaultyData):
        profile.amounts(booked, ["E1"], ["2024-01"])


def test_a_forecast_is_kept_and_found_again_as_it_was_known(
    booked: Context, reopen: Callable[[Context], Context]
) -> None:
    at = datetime(2025, 4, 20, tzinfo=UTC)
    asked = forecast.Asked("load", horizon=timedelta(days=2), at=at, method="linear")
    made = forecast.run(booked, asked)
    assert made.rows.height == 2 * 96 * 3
    assert made.origin_at == at
    assert made.known_at == booked.now
    assert made.wide().columns == ["started_at", "p10", "p50", "p90"]
    later = reopen(booked)
    found = forecast.as_known(later, "load", "site", booked.now)
    assert found is not None
    assert found.equals(made.rows)
    assert forecast.as_known(later, "load", "site", booked.now - timedelta(seconds=1)) is None
    assert forecast.check(later) == []
    assert verify.run(later).clean
    later.workspace.series.path(made.file).write_bytes(b"")
    assert [problem.code for problem in verify.run(later).problems] == ["forecast.changed"]
    # The wave of the small plant repeats each day: the forecast is right to a kilowatt-hour.
    truth = profile.amounts(booked, ["E1"])
    first = int((at - truth.start) / timedelta(minutes=15))
    assert made.wide()["p50"].to_numpy() == pytest.approx(truth.amount_milli[first : first + 192] / 1000, abs=1.0)


def test_what_cannot_be_forecast_is_said(booked: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        forecast.run(booked, forecast.Asked("intensity"))
    assert "--from" in caught.value.problems[0].hint.en
    for wrong in (
        forecast.Asked("pv"),
        forecast.Asked("price"),
        forecast.Asked("load", at=datetime(2030, 1, 1, tzinfo=UTC)),
    ):
        with pytest.raises(FaultyData):
            forecast.run(booked, wrong)
    with pytest.raises(NotFound):
        forecast.run(booked, forecast.Asked("load", place="nowhere"))
    with pytest.raises(NotFound):
        forecast.run(booked, forecast.Asked("load", method="oracle"))
    for text in ("8d", "5min", "x", "-1h"):
        with pytest.raises(FaultyData):
            forecast.horizon_of(text)
    with pytest.raises(NotFound):
        forecast.target_of("wind")


def test_a_series_of_its_own_and_its_faults(booked: Context, tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    rows = [
        f"2025-01-{1 + hour // 24:02d}T{hour % 24:02d}:00+08:00,{500 + 50 * (hour % 24 > 12)}"
        for hour in range(31 * 24)
    ]
    path.write_text("started_at,intensity_gco2e_per_kwh\n" + "\n".join(rows), encoding="utf-8")
    made = forecast.run(booked, forecast.Asked("intensity", horizon=timedelta(days=1), file=path))
    assert made.wide()["p50"].to_list() == pytest.approx([500.0] * 13 + [550.0] * 11, abs=5)
    path.write_text("started_at,intensity_gco2e_per_kwh\nyesterday,1\n2025-01-01,x\n", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        forecast.run(booked, forecast.Asked("intensity", file=path))
    assert [problem.row for problem in caught.value.problems] == [2, 3]
    path.write_text("when,what\n1,2\n", encoding="utf-8")
    with pytest.raises(FaultyData):
        forecast.run(booked, forecast.Asked("intensity", file=path))


def test_price_from_the_tariff_of_the_workspace(booked: Context) -> None:
    header = "province_en,scheme,voltage,month,flat_cny_per_kwh,valley_cny_per_kwh,hours\n"
    (booked.workspace.folder / "tariff.csv").write_text(
        header + "X,s,v,2026-01,0.6,0.3,00:00-08:30=valley 08:30-24:00=flat\n", encoding="utf-8"
    )
    made = forecast.run(
        booked, forecast.Asked("price", horizon=timedelta(days=1), at=datetime(2026, 1, 1, 16, tzinfo=UTC))
    )
    assert made.wide()["p50"].to_list() == [0.3] * 34 + [0.6] * 62
    assert made.forecaster == "tariff"


def test_baseline_of_a_workspace(booked: Context, tmp_path: Path) -> None:
    reports = baseline.run(booked, baseline.Asked("site", "2025-03", "2025-01..02", grain="day"))
    report = reports[0]
    assert report.savings.savings == pytest.approx(0.0, abs=50.0)  # every day of the small plant is the same
    assert json.dumps(report.as_json())
    assert baseline.months_in("2025-01..03") == ("2025-01", "2025-02", "2025-03")
    with pytest.raises(FaultyData):
        baseline.run(booked, baseline.Asked("site", "2025-03", "2024"))
    with pytest.raises(FaultyData):
        baseline.months_in("summer")
    with pytest.raises(NotFound):
        baseline.run(booked, baseline.Asked("site", "2025-03", "2025-01", grain="hour"))  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        baseline.run(booked, baseline.Asked("site", "2025-03", "2025-01", drivers=("moon",)))
    temperature = tmp_path / "t.csv"
    temperature.write_text("date,temperature_degc\n2025-01-01,3\n2025-01-02,4\n", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        baseline.run(booked, baseline.Asked("site", "2025-03", "2025-01..02", grain="day", temperature=temperature))
    assert "2025-01-03" in caught.value.problems[0].message.en


def test_the_command_line(booked: Context) -> None:
    folder = str(booked.workspace.folder)
    run = CliRunner().invoke
    done = run(
        app, ["-w", folder, "forecast", "--target", "load", "--horizon", "6h", "--method", "seasonal_naive", "--json"]
    )
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["rows"]) == 24
    assert run(app, ["-w", folder, "forecast", "--horizon", "1d", "--method", "linear"]).exit_code == 0
    done = run(
        app, ["-w", folder, "forecast", "backtest", "--target", "load", "--days", "7", "--method", "linear", "--json"]
    )
    assert done.exit_code == 0, done.output
    assert {row["forecaster"] for row in json.loads(done.stdout)} == {"linear", "seasonal_naive"}
    done = run(app, ["-w", folder, "baseline", "--period", "2025-03", "--reference", "2025-01..02", "--grain", "day"])
    assert done.exit_code == 0, done.output
    assert run(app, ["-w", folder, "baseline", "--period", "2025-03", "--reference", "2024"]).exit_code == 2
    assert run(app, ["-w", folder, "forecast", "--target", "wind"]).exit_code == 2
