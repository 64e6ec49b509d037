"""Small plants and readings for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.site import load
from zerofactory.site.model import Meter, Plant, Shop, SourceUse
from zerofactory.tables import Column

HEAD = """
[plant]
id = "test"
name = "试验厂"
time_zone = "{time_zone}"
region = "CN-上海"
opened_on = 2020-01-01
[organisation]
name = "试验"
[[shops]]
id = "paint"
kind = "paint"
name = {{ zh = "涂装", en = "paint" }}
[[shops]]
id = "body"
kind = "body"
name = {{ zh = "焊装", en = "body" }}
"""


def meter(meter_id: str, kind: str = "register", **more: Any) -> Meter:
    fields: dict[str, Any] = {"carrier": "electricity", "unit": "kWh", "shop": "paint"} | more
    return Meter(id=meter_id, name=Text(meter_id, meter_id), kind=kind, **fields)  # type: ignore[arg-type]


def source(source_id: str, kind: str = "fuel", **more: Any) -> SourceUse:
    fields: dict[str, Any] = {"shop": "paint"} | more
    return SourceUse(id=source_id, kind=kind, name=Text(f"源{source_id}", f"source {source_id}"), **fields)


MONTH = Period(2025, 1)


@dataclass(frozen=True)
class Kind:
    """A kind of source as the form sees it."""

    units: tuple[str, ...] = ("mass",)
    items: tuple[str, ...] = ()
    item_required: bool = False
    balance: tuple[tuple[str, int], ...] = ()
    details: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Bench:
    """Makes plants and readings."""

    meter: Callable[..., Meter] = meter
    source: Callable[..., SourceUse] = source
    kind: type[Kind] = Kind

    def plant(
        self, meters: Sequence[Meter] = (), sources: Sequence[SourceUse] = (), time_zone: str = "Asia/Shanghai"
    ) -> Plant:
        made, problems = load.plant(HEAD.format(time_zone=time_zone))
        assert made is not None, problems
        shops: tuple[Shop, ...] = made.shops
        return replace(made, meters=tuple(meters), sources=tuple(sources), shops=shops)

    def readings(
        self, plant: Plant, values: dict[str, Sequence[float | None]], period: Period | None = None, **more: Any
    ) -> pl.DataFrame:
        """Return readings from the first instant of the period on, None left out, every meter at its own interval."""
        start = (period or MONTH).start(plant.time_zone)
        rows = [
            (name, start + timedelta(minutes=index * plant.meter(name).interval_minutes), value)
            for name, series in values.items()
            for index, value in enumerate(series)
            if value is not None
        ]
        schema = {"meter_id": pl.String, "started_at": pl.Datetime("us", "UTC"), "value": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row").with_columns(**{k: pl.lit(v) for k, v in more.items()})


KNOWN_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench()
