"""What the alarm rules see of inspection: each camera's pictures and audits, day by day, from the book.

DEFECTS ─► camera (model at a shop and station) ─► figures of its first pictures of each hour ─► rule `inspection_drift`  ─┐
       └─► parts looked at by people, month so far ────────────────────────────────────────► rule `inspection_audit` ─► alarms
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.metering.inspected import standing
from zerofactory.monitoring.alarm import Found
from zerofactory.monitoring.days import Clock, Days, kind_of
from zerofactory.monitoring.rule import INSPECTION, Audited, Episode, Pictured, Subject, Watched, rule
from zerofactory.monitoring.rules.inspection_drift import block_level
from zerofactory.monitoring.settings import Settings
from zerofactory.optimisation.quality.drift import FIGURES, LEAST
from zerofactory.optimisation.quality.kept_promise import Looked
from zerofactory.optimisation.quality.shift import critical
from zerofactory.periods import local_midnight
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import booked
from zerofactory.runs.inspect_figures import figures_of
from zerofactory.runs.inspect_model import Model, names
from zerofactory.runs.inspect_take import model_of

DRIFT, AUDIT = "inspection_drift", "inspection_audit"
RULES = (DRIFT, AUDIT)
DAY_MINUTES = 1440
LATE = timedelta(days=31)
"""So long after days that were taken for normal their pictures may have been booked, and those that followed are looked for."""
MOST_REFERENCE = 500
"""So many pictures, the newest, of days that were taken for normal stand in for those learned from."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A model at a place: what one camera is."""

    model: str
    shop: str
    station: str

    @property
    def id(self) -> str:
        """The name it has among the alarms.

        Examples
        --------
        >>> Camera("panels", "paint", "").id, Camera("panels", "paint", "ST-1").id
        ('panels@paint', 'panels@paint/ST-1')
        """
        return f"{self.model}@{self.shop}{'/' if self.station else ''}{self.station}"


@dataclass(frozen=True, slots=True)
class Normal:
    """A span whose pictures somebody took for normal when closing an alarm of a camera."""

    camera: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """Days [first, last), the rules (none: both), the cameras (none: all), and what was taken for normal."""

    first: date
    last: date
    rules: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    normal: tuple[Normal, ...] = ()


def named(context: Context, wanted: Sequence[str]) -> list[str]:
    """Return the names of cameras: each model at each shop, and of those wanted the ones that name a station there."""
    shops = [shop.id for shop in context.workspace.plant.shops]
    at_shops = [Camera(model, shop, "").id for model in names(context.workspace.folder) for shop in shops]
    return [*at_shops, *(one for one in wanted if "/" in one and one.partition("/")[0] in at_shops)]


def episodes(context: Context, asked: Asked, own: Settings) -> tuple[list[Found], list[Camera], list[Text]]:
    """Return what the rules find of the cameras in some days, the cameras looked at, and what could not be looked at and why."""
    found: list[Found] = []
    looked: dict[Camera, None] = {}
    notes: list[Text] = []
    span = _moments(context, asked.first, asked.last)
    models = names(context.workspace.folder)
    if not models:
        return [], [], []
    begin = asked.first - timedelta(days=int(own.general(DRIFT)["reach_days"]))
    asked = replace(asked, normal=_in_force(asked.normal, local_midnight(begin, context.workspace.plant.time_zone)))
    every = _book(context, begin.replace(day=1), asked.normal)
    for name in models:
        book = every.filter(pl.col("model") == name)
        there = book.filter(pl.col("inspected_at").is_between(*span, closed="left"))
        for shop, station, version in sorted(there.select("shop", "station", "model_version").unique().iter_rows()):
            camera = Camera(name, shop, station)
            if asked.cameras and camera.id not in asked.cameras:
                continue
            looked[camera] = None
            mine = book.filter((pl.col("shop") == shop) & (pl.col("station") == station) & (pl.col("model_version") == version))  # fmt: skip
            try:
                model = model_of(context, name, version)
            except (FaultyData, NotFound) as gone:
                notes.append(_gone(camera, version, gone))
                continue
            for one, watch in ((DRIFT, _pictured), (AUDIT, _audited)):
                given = own.given(rule(one), _subject(context, camera))
                if given is not None and (not asked.rules or one in asked.rules):
                    watched = watch(context, _Stream(camera, model, mine, notes), asked, given)
                    found += [_found(one, watched, episode) for episode in rule(one).find(watched) if _ends(watched, episode) > asked.first]  # fmt: skip
    return found, list(looked), notes


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """One camera with one version of its model, all rows of its parts as they were booked, and what is to be said of it."""

    camera: Camera
    model: Model
    rows: pl.DataFrame
    notes: list[Text]


def _in_force(normal: Sequence[Normal], begin: datetime) -> tuple[Normal, ...]:
    """Return what was taken for normal without what another of the same camera had replaced before a moment."""
    before = {one.camera: one for one in sorted(normal, key=lambda each: each.started_at) if one.started_at < begin}
    return (*before.values(), *(one for one in normal if one.started_at >= begin))


def _book(context: Context, since: date, normal: Sequence[Normal]) -> pl.DataFrame:
    """Return the rows of models of some days on and of days taken for normal, in the order of booking, and which stand (``stands``).

    No part is booked before it was looked at, so nothing of those days lies further back, whatever the clock of a camera says.
    """
    zone = context.workspace.plant.time_zone
    begin = local_midnight(since, zone)
    spans = [(one.started_at, min(one.ended_at + LATE, begin)) for one in normal if one.started_at < begin]
    earlier = [booked(context, *span) for span in sorted(spans)]
    found = pl.concat([*earlier, booked(context, begin)]).unique("defect_id", keep="first", maintain_order=True)
    return found.with_columns(
        pl.col("station").fill_null(""), pl.col("defect_id").is_in(standing(found)["defect_id"].to_list()).alias("stands"),
        pl.col("inspected_at").dt.convert_time_zone(zone).dt.date().alias("on"),
    ).filter(pl.col("score").is_not_null())  # fmt: skip


def _pictured(context: Context, stream: _Stream, asked: Asked, given: Mapping[str, float]) -> Watched:
    """Return the pictures of a camera, from so many days before on that an episode is seen from its begin.

    Blocks are cut anew in each month, in the order of booking: looking again cuts them alike, and a picture that a phone sends late
    moves none before it. One that is not whole waits.
    """
    judged = stream.rows.filter(pl.col("decided_by") == "model")
    size, hourly = int(given["block_pictures"]), int(given["pictures_per_hour"])
    begin = asked.first - timedelta(days=int(given["reach_days"]))
    shown = judged.filter(pl.col("image_sha256").is_not_null())
    shown = shown.filter(pl.int_range(pl.len()).over(pl.col("inspected_at").dt.truncate("1h")) < hourly)
    month = pl.col("on").dt.truncate("1mo").alias("month")
    shown = shown.with_columns(month, (pl.int_range(pl.len()).over(month) // size).alias("block"))
    block = ["month", "block"]
    shown = shown.filter(pl.len().over(block) == size).sort(block, maintain_order=True)
    middle = pl.col("on").get(size // 2).over(block)
    shown = shown.filter(middle.is_between(begin, asked.last, closed="left"))
    figures = figures_of(context, stream.model.card, shown["image_sha256"].to_list())
    there = shown.filter(pl.col("image_sha256").is_in(list(figures)))
    _blind(stream, (shown.height, shown.height - there.height), given)
    shown = there.filter(pl.len().over(block) == size)
    seen = shown["image_sha256"].to_list()
    pictured = Pictured(
        np.array([figures[one] for one in seen]).reshape(len(seen), len(FIGURES)),
        np.array([(day - begin).days for day in shown["on"].to_list()], dtype=np.int64), tuple(seen),
        ((0, stream.model.condition), *_normal(context, stream, judged, (asked, begin))),
    )  # fmt: skip
    days = _days(context, begin, _counts(judged, begin, asked.last))
    return Watched(_subject(context, stream.camera), days, 0, days.values[0] > 0, given, pictured=pictured)


def _blind(stream: _Stream, missing: tuple[int, int], given: Mapping[str, float]) -> None:
    """Say where a camera is not watched although it looks so: too little was learned from, or its pictures are not kept."""
    pictures, figures = stream.model.condition.shape
    name, (every, gone) = f"{stream.camera.id} v{stream.model.card.version}", missing
    if pictures < LEAST or critical(pictures, int(given["block_pictures"]), block_level(given) / (2 * figures)) < 0:
        stream.notes.append(Text(f"{name} 只学过 {pictures} 张合格图片, 按此承诺误报率看不出漂移。", f"{name} learned from {pictures} good pictures only: at this promise no drift can be told."))  # fmt: skip
    if gone:
        stream.notes.append(Text(f"{name} 的 {every} 张图有 {gone} 张不在图片库, 缺图的组没有检查。", f"{gone} of {every} pictures of {name} are not kept: their blocks were not looked at."))  # fmt: skip


def _normal(context: Context, stream: _Stream, judged: pl.DataFrame, seen: tuple[Asked, date]) -> list[tuple[int, Any]]:
    """Return the pictures of the spans that were taken for normal, and from which day on they count.

    Where a span holds too few (a slow camera), those that followed are taken as well.
    """
    asked, begin = seen
    made = []
    for one in sorted(asked.normal, key=lambda each: each.started_at):
        if one.camera != stream.camera.id:
            continue
        span = pl.col("inspected_at").is_between(one.started_at, one.ended_at + LATE, closed="left")
        after = judged.filter(span & pl.col("image_sha256").is_not_null())
        inside = after.filter(pl.col("inspected_at") < one.ended_at).tail(MOST_REFERENCE)
        if inside.height < LEAST:
            inside = after.head(LEAST)
        figures = figures_of(context, stream.model.card, inside["image_sha256"].to_list())
        if len(figures) >= LEAST:
            table = np.array(list(figures.values()))[:, : stream.model.condition.shape[1]]
            on = one.started_at.astimezone(ZoneInfo(context.workspace.plant.time_zone)).date()
            made.append(((on - begin).days, table))
    return made


def _audited(context: Context, stream: _Stream, asked: Asked, given: Mapping[str, float]) -> Watched:
    """Return what people found of a camera's parts, day by day from the begin of the month; a day that is not over is left out.

    A part counts on the day the model judged it, a verdict on the day it was given: what is looked at later bends no earlier day.
    """
    begin = asked.first.replace(day=1)
    last = max(min(asked.last, context.today), begin)
    there = stream.rows.filter((pl.col("on") >= begin) & (pl.col("on") < last))
    by_day: dict[date, list[dict[str, Any]]] = {}
    for row in there.select("on", "stands", "score", "threshold", "audit", "decided_by", "disposition").to_dicts():
        by_day.setdefault(row["on"], []).append(row)
    every = [begin + timedelta(days=n) for n in range((last - begin).days)]
    escape = (stream.model.card.metrics.get("escape") or {}).get("high")
    looked = Audited(tuple(_looked(by_day.get(day, [])) for day in every), escape, stream.model.card.false_reject_fraction)  # fmt: skip
    days = _days(context, begin, [float(len(by_day.get(day, []))) for day in every])
    return Watched(_subject(context, stream.camera), days, 0, days.values[0] > 0, given, audited=looked)


def _looked(day: Sequence[Mapping[str, Any]]) -> Looked:
    judged = [row["score"] > row["threshold"] for row in day if row["decided_by"] == "model"]
    said = [row for row in day if row["decided_by"] == "inspector" and row["stands"]]
    drawn = [row for row in said if row["score"] <= row["threshold"] and row["audit"]]
    again = [row for row in said if row["score"] > row["threshold"]]
    good = sum(row["disposition"] == "accept" for row in again)
    bad = sum(row["disposition"] != "accept" for row in drawn)
    return Looked(judged.count(False), judged.count(True), len(drawn), bad, len(again), good)


def _counts(judged: pl.DataFrame, first: date, last: date) -> list[float]:
    """Return how many parts were judged on each day."""
    by_day = dict(judged.group_by("on").len().iter_rows())
    return [float(by_day.get(first + timedelta(days=place), 0)) for place in range((last - first).days)]


def _days(context: Context, first: date, counts: Sequence[float]) -> Days:
    plant = context.workspace.plant
    kinds = [kind_of(plant.calendar, first + timedelta(days=place)) for place in range(len(counts))]
    values = np.array(counts, dtype=np.float64).reshape(1, -1, 1)
    return Days(Clock(plant.time_zone, plant.calendar, DAY_MINUTES), first, values, np.array(kinds, dtype=np.int64))


def _subject(context: Context, camera: Camera) -> Subject:
    shops = {shop.id: shop.name for shop in context.workspace.plant.shops}
    name = shops.get(camera.shop, Text(camera.shop, camera.shop))
    at = f" {camera.station}" if camera.station else ""
    return Subject(camera.id, Text(f"{name.zh}{at} 检测相机", f"camera of {name.en}{at}"), INSPECTION, "piece", camera.shop)  # fmt: skip


def _ends(watched: Watched, episode: Episode) -> date:
    return watched.days.first + timedelta(days=episode.last // watched.days.clock.slots)


def _found(one: str, watched: Watched, episode: Episode) -> Found:
    days, size, subject = watched.days, watched.days.clock.slots, watched.subject
    start, end = (days.moment(*divmod(slot, size)) for slot in (episode.first, episode.last))
    return Found(
        one, subject.id, subject.shop, subject.carrier, start, end, round(episode.excess * 1000.0), subject.unit,
        round(float(episode.value), 4), round(float(episode.limit), 4), episode.message,
    )  # fmt: skip


def _moments(context: Context, first: date, last: date) -> tuple[datetime, datetime]:
    zone = context.workspace.plant.time_zone
    return local_midnight(first, zone), local_midnight(last, zone)


def _gone(camera: Camera, version: int, why: FaultyData | NotFound) -> Text:
    said = why.problems[0].message if isinstance(why, FaultyData) else Text("模型已不在", "the model is gone")
    return Text(f"{camera.id} v{version} 没有检查: {said.zh}", f"{camera.id} v{version} was not looked at: {said.en}")
