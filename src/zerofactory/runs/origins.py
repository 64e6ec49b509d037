"""ORIGINS of closed months: made and kept at closing, made again when verifying, opened for any meter.

What the seal keeps is in the journal entry of closing: digests of the site's rows and of those of every meter, and the content
of each store before and after the month, so that a month recomputes without the months before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from zerofactory.accounting.origin_rows import (
    DIRECT,
    DISCHARGED,
    ORIGIN_TITLES,
    ORIGINS,
    PATH_TITLES,
    SITE,
    MonthOrigins,
    month_origins,
)
from zerofactory.accounting.origins import power_book
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import MeterMonth
from zerofactory.notation import text_of
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.intervals import sealed_month
from zerofactory.site.model import Plant
from zerofactory.store.files import write_bytes_whole, write_whole
from zerofactory.store.schema import ACTIVITIES, CLAIMS
from zerofactory.store.workspace import PLANT_FILE, read_plant

Content = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Grounds:
    """What the origins of a month are made from: its amounts, plant, documents and the content of its stores before it."""

    month: MeterMonth
    plant: Plant
    documents: pl.DataFrame
    opening_wh: Content


def make(context: Context, grounds: Grounds, until: int | None = None) -> MonthOrigins | None:
    """Return the origins of one month; None where no electricity is metered.

    ``until`` takes the claims that were in the book at one journal entry.
    """
    label = grounds.month.period.label
    return origins_of(grounds, context.workspace.journal.active(CLAIMS, {"period": label}, until=until))


def origins_of(grounds: Grounds, claims: pl.DataFrame) -> MonthOrigins | None:
    """Return the origins of one month from its grounds and the claims on it; None where no electricity is metered."""
    book = power_book([grounds.month], grounds.plant, grounds.documents, claims)
    if not book.consumption_wh.any():
        return None
    return month_origins(book, grounds.month, grounds.plant, grounds.opening_wh)


def summary(origins: MonthOrigins) -> dict[str, object]:
    """Return what the journal keeps of the origins of a month."""
    return {
        **origins.digests(),
        "opening_wh": {name: dict(content) for name, content in origins.opening_wh.items()},
        "closing_wh": {name: dict(content) for name, content in origins.closing_wh.items()},
        "unrecorded_wh": origins.routed.unrecorded_wh,
    }


def warnings(origins: MonthOrigins | None) -> tuple[Problem, ...]:
    """Return what is to be said about the origins of a month when it is closed."""
    if origins is None or not origins.routed.unrecorded_wh:
        return ()
    energy = f"{origins.routed.unrecorded_wh / 1e6:,.3f} MWh"
    return (
        Problem(
            code="electricity.unrecorded_discharge",
            message=Text(
                f"储能放出的 {energy} 在账上没有充入, 按其余电网计。",
                f"{energy} came out of a store that were not charged on the book; they count as rest of the grid.",
            ),
            hint=Text(
                "若是开账前充入的, 无需处理; 否则请核对充放电表与往返效率。",
                "If they were charged before the book began, nothing is to be done; else check the meters and the efficiency.",
            ),
            severity="warning",
        ),
    )


def kept(context: Context) -> dict[str, dict[str, Any]]:
    """Return what the journal keeps of origins, by seal; months closed by an earlier edition have none."""
    return kept_in(context.workspace.journal.payloads("close"))


def kept_in(payloads: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what entries of closing keep of origins, by seal."""
    found: dict[str, dict[str, Any]] = {}
    for payload in payloads:
        found.update(json.loads(payload).get("origins", {}))
    return found


def content_before(context: Context, period: Period) -> Content:
    """Return the content of the stores at the beginning of a month: what the seal of the month before ended with."""
    before = Period.containing(
        period.start(context.workspace.plant.time_zone) - timedelta(hours=1), context.workspace.plant.time_zone
    )
    seal = context.workspace.seal_of(before.label)
    if seal is None:
        return {}
    content: Content = kept(context).get(seal["seal_id"], {}).get("closing_wh", {})
    return content


def recompute(context: Context, seal: Mapping[str, Any], again: MeterMonth) -> MonthOrigins | None:
    """Return the origins of a sealed month made again, as they were when it was closed."""
    workspace = context.workspace
    plant = read_plant(text_of(workspace.evidence.find(seal["plant_sha256"]).read_bytes(), PLANT_FILE))
    until = seal["booked_as"]
    rows = workspace.journal.active(ACTIVITIES, {"period": seal["period"]}, brought_by="import", until=until)
    opening = kept(context).get(seal["seal_id"], {}).get("opening_wh", {})
    return make(context, Grounds(again, plant, rows.drop("reverses"), opening), until)


def check(context: Context, seal: Mapping[str, Any], again: MeterMonth) -> list[Problem]:
    """Return what differs between the origins kept with a seal and those made again."""
    known = kept(context).get(seal["seal_id"])
    if known is None:
        return []
    made = recompute(context, seal, again)
    if made is None or summary(made) != known:
        return [
            _broken(
                "origins",
                f"{seal['period']} 的电量来源重算不符。",
                f"The origins of {seal['period']} do not recompute.",
                seal,
            )
        ]
    if not context.workspace.series.origins_kept(seal["period"], seal["revision"], made.site_rows()):
        return [
            _broken(
                "origins_file",
                f"{seal['period']} 的电量来源文件缺失或被改动。",
                f"The file of origins of {seal['period']} is missing or was changed.",
                seal,
            )
        ]
    return []


def _broken(code: str, zh: str, en: str, seal: Mapping[str, Any]) -> Problem:
    hint = Text("请查明改动, 或从备份恢复。", "Find out what was changed, or restore a back-up.")
    return Problem(code=f"verify.{code}", message=Text(zh, en), hint=hint, file="book.db", column=seal["period"])


@dataclass(frozen=True, slots=True)
class OriginLine:
    """What one origin gave on one path over a period; the share is of the load (of the supply for what was charged)."""

    origin: str
    path: str
    energy_wh: int
    share_fraction: float


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """The origins of a place over a period: the sums, and the rows of ORIGINS behind them."""

    period: str
    meter: str
    load_wh: int
    lines: tuple[OriginLine, ...]
    rows: pl.DataFrame

    def as_json(self) -> dict[str, object]:
        """Return the sums as plain JSON values; the rows go to a file."""
        return {
            "period": self.period,
            "meter": self.meter,
            "load_wh": self.load_wh,
            "rows": self.rows.height,
            "origins": [asdict(line) for line in self.lines],
        }


def opened(context: Context, period: Period, meter: str = SITE) -> Opened:
    """Return the origins of the site or of one load meter over a closed period; errors are those of `read`."""
    rows = read(context, period, meter)
    sums = dict.fromkeys(((origin, path) for origin in ORIGIN_TITLES for path in PATH_TITLES), 0)
    for origin, path, energy in rows.group_by("origin", "path").agg(pl.col("energy_wh").sum()).iter_rows():
        sums[origin, path] = energy
    load = sum(energy for (_, path), energy in sums.items() if path in (DIRECT, DISCHARGED))
    lines = tuple(
        OriginLine(origin, path, energy, energy / load if load else 0.0)
        for (origin, path), energy in sums.items()
        if energy
    )
    return Opened(period.label, meter, load, lines, rows)


def write(found: Opened, out: Path) -> None:
    """Write the rows of ORIGINS as CSV or Parquet, by the name of the file.

    Raises
    ------
    FaultyData
        The name ends otherwise.
    """
    if out.suffix.lower() == ".parquet":
        write_whole(out, lambda partial: found.rows.write_parquet(partial, compression="zstd"))
    elif out.suffix.lower() == ".csv":
        write_bytes_whole(out, found.rows.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode())
    else:
        message = Text(f"不能写“{out.suffix}”文件。", f"Cannot write '{out.suffix}' files.")
        hint = Text("请把文件名改为 .csv 或 .parquet。", "Name the file .csv or .parquet.")
        raise FaultyData([Problem(code="electricity.not_csv", message=message, hint=hint, file=out.name)])


def read(context: Context, period: Period, meter: str = SITE) -> pl.DataFrame:
    """Return the rows of ORIGINS of closed months: of the site, or of one load meter.

    Raises
    ------
    FaultyData
        A month is not closed, or was closed by an edition that kept no origins.
    NotFound
        The meter measures no load.
    """
    frames = [_read_month(context, month, meter) for month in period.months()]
    return pl.concat(frames) if frames else ORIGINS.empty()


def _read_month(context: Context, period: Period, meter: str) -> pl.DataFrame:
    month = sealed_month(context, period, whole=True)
    seal = context.workspace.seal_of(period.label)
    if seal is None or seal["seal_id"] not in kept(context):
        raise FaultyData([_not_kept(period)])
    if meter == SITE:
        path = context.workspace.series.path(context.workspace.series.origins_file(period.label, seal["revision"]))
        return pl.read_parquet(path, glob=False).select(ORIGINS.names)
    made = recompute(context, seal, month)
    if made is None:
        raise FaultyData([_not_kept(period)])
    return made.meter_rows(meter)


def _not_kept(period: Period) -> Problem:
    return Problem(
        code="electricity.no_origins",
        message=Text(
            f"{period.label} 封存时没有保存电量来源(没有计量用电, 或由较早版本封存)。",
            f"No origins were kept when {period.label} was closed: no electricity is metered, or an earlier edition closed it.",
        ),
        hint=Text(
            f"可用 zf close --period {period.label} --revise --reason “补存电量来源” 补存。",
            f"Run zf close --period {period.label} --revise --reason 'keep the origins'.",
        ),
    )
