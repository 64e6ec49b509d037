"""What the alarm rules see of inspection: each camera's pictures and audits, day by day, from the book.

DEFECTS ─► camera (model at a shop and station) ─► figures of its first pictures of each hour ─► rule `inspection_drift`  ─┐
       └─► parts looked at by people, month so far ────────────────────────────────────────► rule `inspection_audit` ─► alarms
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.metering.inspected import standing
from zerofactory.monitoring.alarm import Found
from zerofactory.monitoring.days import Clock, Days, kind_of
from zerofactory.monitoring.rule import INSPECTION, Audited, Episode, Pictured, Subject, Watched, rule
from zerofactory.monitoring.settings import Settings
from zerofactory.optimisation.quality.drift import FIGURES, LEAST
from zerofactory.optimisation.quality.kept_promise import Looked
from zerofactory.periods import local_midnight
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import newest
from zerofactory.runs.inspect_figures import figures_of
from zerofactory.runs.inspect_model import Model, names
from zerofactory.runs.inspect_take import model_of

DRIFT, AUDIT = "inspection_drift", "inspection_audit"
RULES = (DRIFT, AUDIT)
DAY_MINUTES = 1440
ROWS_AT_ONCE = 20_000
"""The book is read back by so many rows at first."""
FIRST_ROWS = 100
"""So many rows must lie before what is asked for: a phone may have sent an old one late."""
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
    every = _book(context, _since(asked, own))
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
                    watched = watch(context, _Stream(camera, model, mine), asked, given)
                    found += [_found(one, watched, episode) for episode in rule(one).find(watched) if _ends(watched, episode) > asked.first]  # fmt: skip
    return found, list(looked), notes


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """One camera with one version of its model, and all rows of its parts in their order."""

    camera: Camera
    model: Model
    rows: pl.DataFrame


def _since(asked: Asked, own: Settings) -> date:
    """Return the first day of which anything must be known: whole months, the days reached back, days taken for normal."""
    begin = asked.first - timedelta(days=int(own.general(DRIFT)["reach_days"]))
    return min([begin.replace(day=1), *(one.started_at.date() for one in asked.normal)])


def _book(context: Context, since: date) -> pl.DataFrame:
    """Return the rows of models from a day on, in order of time: the models' own, and which rows stand (``stands``).

    The book is read from its end, further back until it tells of earlier days.
    """
    earlier = local_midnight(since, context.workspace.plant.time_zone) - timedelta(days=1)
    count = ROWS_AT_ONCE
    found = newest(context, count)
    while found.height == count and found["inspected_at"].head(FIRST_ROWS).max() >= earlier:  # type: ignore[operator]
        count *= 4
        found = newest(context, count)
    found = found.with_columns(
        pl.col("station").fill_null(""), pl.col("defect_id").is_in(standing(found)["defect_id"].to_list()).alias("stands"),
        pl.col("inspected_at").dt.convert_time_zone(context.workspace.plant.time_zone).dt.date().alias("on"),
    )  # fmt: skip
    return found.filter(pl.col("score").is_not_null() & (pl.col("on") >= since)).sort("inspected_at", "defect_id")


def _pictured(context: Context, stream: _Stream, asked: Asked, given: Mapping[str, float]) -> Watched:
    """Return the pictures of a camera, from so many days before on that an episode is seen from its begin.

    Blocks are cut anew in each month, so that looking again, or later, cuts them alike; one that is not whole is left out.
    """
    judged = stream.rows.filter(pl.col("decided_by") == "model")
    size, hourly = int(given["block_pictures"]), int(given["pictures_per_hour"])
    begin = asked.first - timedelta(days=int(given["reach_days"]))
    shown = judged.filter(pl.col("image_sha256").is_not_null() & (pl.col("on") < asked.last))
    shown = shown.filter(pl.int_range(pl.len()).over(pl.col("inspected_at").dt.truncate("1h")) < hourly)
    month = pl.col("on").dt.truncate("1mo").alias("month")
    shown = shown.with_columns(month, (pl.int_range(pl.len()).over(month) // size).alias("block"))
    block = ["month", "block"]
    shown = shown.filter(pl.col("on").max().over(block) >= begin)
    figures = figures_of(context, stream.model.card, shown["image_sha256"].to_list())
    shown = shown.filter(pl.col("image_sha256").is_in(list(figures))).filter(pl.len().over(block) == size)
    begin = min([begin, *shown["on"].head(1).to_list()])
    seen = shown["image_sha256"].to_list()
    pictured = Pictured(
        np.array([figures[one] for one in seen]).reshape(len(seen), len(FIGURES)),
        np.array([(day - begin).days for day in shown["on"].to_list()], dtype=np.int64), tuple(seen),
        ((0, stream.model.condition), *_normal(context, stream, judged, (asked, shown["inspected_at"].to_list()))),
    )  # fmt: skip
    days = _days(context, begin, _counts(judged, begin, asked.last))
    return Watched(_subject(context, stream.camera), days, 0, days.values[0] > 0, given, pictured=pictured)


def _normal(
    context: Context, stream: _Stream, judged: pl.DataFrame, seen: tuple[Asked, Sequence[datetime]]
) -> list[tuple[int, Any]]:
    """Return the pictures of the spans that were taken for normal, and from which picture on they count."""
    asked, moments = seen
    made = []
    for one in sorted(asked.normal, key=lambda each: each.started_at):
        if one.camera != stream.camera.id:
            continue
        inside = judged.filter(pl.col("inspected_at").is_between(one.started_at, one.ended_at, closed="left") & pl.col("image_sha256").is_not_null())  # fmt: skip
        figures = figures_of(context, stream.model.card, inside["image_sha256"].tail(MOST_REFERENCE).to_list())
        if len(figures) >= LEAST:
            table = np.array(list(figures.values()))[:, : stream.model.condition.shape[1]]
            made.append((sum(moment < one.started_at for moment in moments), table))
    return made


def _audited(context: Context, stream: _Stream, asked: Asked, given: Mapping[str, float]) -> Watched:
    """Return what people found of a camera's parts, day by day from the begin of the month; a day that is not over is left out."""
    begin = asked.first.replace(day=1)
    last = max(min(asked.last, context.today), begin)
    there = stream.rows.filter(pl.col("stands") & (pl.col("on") >= begin) & (pl.col("on") < last))
    by_day: dict[date, list[dict[str, Any]]] = {}
    for row in there.select("on", "score", "threshold", "audit", "decided_by", "disposition").to_dicts():
        by_day.setdefault(row["on"], []).append(row)
    every = [begin + timedelta(days=n) for n in range((last - begin).days)]
    escape = (stream.model.card.metrics.get("escape") or {}).get("high")
    looked = Audited(tuple(_looked(by_day.get(day, [])) for day in every), escape, stream.model.card.false_reject_fraction)  # fmt: skip
    days = _days(context, begin, [float(len(by_day.get(day, []))) for day in every])
    return Watched(_subject(context, stream.camera), days, 0, days.values[0] > 0, given, audited=looked)


def _looked(day: Sequence[Mapping[str, Any]]) -> Looked:
    passed = [row for row in day if row["score"] <= row["threshold"]]
    rejected = [row for row in day if row["score"] > row["threshold"]]
    drawn = [row for row in passed if row["audit"] and row["decided_by"] == "inspector"]
    again = [row for row in rejected if row["decided_by"] == "inspector"]
    good = sum(row["disposition"] == "accept" for row in again)
    bad = sum(row["disposition"] != "accept" for row in drawn)
    return Looked(len(passed), len(rejected), len(drawn), bad, len(again), good)


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
