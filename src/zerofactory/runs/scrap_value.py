"""What one percentage point of scrap, rework, escape and false reject is worth for each part, with the interval of counts and figures.

The interval is drawn: shares from the counts (Jeffreys' posterior, Beta(x + ½, n − x + ½); Brown, Cai, DasGupta 2001, doi
10.1214/ss/1009213286), every figure of quality.toml that has bounds from a triangle between them. Emission factors stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.optimisation.quality.loss import Loss, reworked, scrapped
from zerofactory.optimisation.quality.measure import rate
from zerofactory.optimisation.quality.points import Cost, Each, Shares, Stage, escaped, points
from zerofactory.optimisation.twin.line import Station
from zerofactory.runs.context import Context
from zerofactory.runs.scrap import REWORK, SCRAP, Asked, gathered, losses_of, mended_by, merged, output
from zerofactory.runs.scrap_defects import Defect
from zerofactory.runs.scrap_file import Draw, Figure, Given, PartEntry, central, read
from zerofactory.runs.scrap_plan import Plan, Weights, plan_of, priced, twin_stations, weights_of

DRAWS = 400
SEED = 1
KINDS = ("scrap", "rework", "escape", "false_reject")
FIGURES = ("kgco2e", "cny", "mass_kg")


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure and the interval of its draws."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Return plain values."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class PartValue:
    """One part: good pieces of the period, shares with counts, and by kind what a piece and what one point are worth.

    ``stations``: what one point of scrap behind each station is worth. ``missing`` says by kind why it is not told.
    """

    part: str
    good: int
    scrap: int
    rework: int
    each: Mapping[str, Mapping[str, Spread]]
    point: Mapping[str, Mapping[str, Spread]]
    stations: Mapping[str, Mapping[str, Spread]]
    missing: Mapping[str, Text]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""

        def plain(rows: Mapping[str, Mapping[str, Spread]]) -> dict[str, object]:
            return {kind: {name: one.as_json() for name, one in row.items()} for kind, row in rows.items()}

        total = self.good + self.scrap
        return {
            "part": self.part, "good": self.good, "scrapped": self.scrap, "reworked": self.rework,
            "scrap_fraction": rate(self.scrap, total).value, "rework_fraction": rate(min(self.rework, total), total).value,
            "each": plain(self.each), "point": plain(self.point), "stations": plain(self.stations), "missing": {kind: {"zh": why.zh, "en": why.en} for kind, why in self.missing.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class Values:
    """Every part of a period."""

    asked: Asked
    given: Given
    source: str
    parts: tuple[PartValue, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        titles = {one.id: {"zh": one.name.zh, "en": one.name.en} for one in self.given.form.parts}
        return {"period": self.asked.period.label, "source": self.source, "confidence": self.asked.confidence, "draws": DRAWS, "titles": titles, "parts": [one.as_json() for one in self.parts]}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """The defects of one part in counts."""

    entry: PartEntry
    good: int
    scrap: int
    rework: int
    defects: tuple[Defect, ...]


def run(context: Context, asked: Asked, parts: Sequence[str] = (), good: int | None = None) -> Values:
    """Return what one point is worth for each part of a period.

    Parameters
    ----------
    parts : only these; empty: all that have defects.
    good : good pieces of the period; None takes those inspected, else the vehicles booked times the pieces in each.

    Raises
    ------
    FaultyData
        Faults of the files; no pieces to count by.
    NotFound
        No such part.
    """
    given = read(context)
    for name in parts:
        if name not in given.parts:
            raise NotFound(Text("零件", "part"), name, tuple(given.parts))
    defects, source, _ = gathered(context, given, asked.period, asked.file)
    defects = merged(defects)
    stations, weights = twin_stations(context), weights_of(context, given, asked.period.year)
    losses_of(defects, given, plan_of(context, given, twin=stations))  # every defect that cannot be mended, at once
    seen = seen_of(context, given, asked, defects, good)
    wanted = [one for one in seen if (one.entry.id in parts if parts else one.scrap + one.rework)]
    work = _Work(context, given, stations, weights, asked.confidence)
    return Values(asked, given, source, work.values(wanted))


def seen_of(
    context: Context, given: Given, asked: Asked, defects: Sequence[Defect], good: int | None = None
) -> tuple[Seen, ...]:
    """Return counts by part; raise `FaultyData` when nothing says how many good pieces there were."""
    made = output(context, defects)[0] or 0.0
    found, problems = [], []
    for entry in given.form.parts:
        own = tuple(one for one in defects if one.part == entry.id)
        accepted = sum(one.count for one in own if one.disposition == "accept")
        scrap, rework = (sum(one.count for one in own if one.disposition == kind) for kind in (SCRAP, REWORK))
        fine = good if good is not None else accepted + rework if accepted else round(made * entry.per_vehicle)
        if own and fine < max(1, rework):
            problems.append(_no_pieces(entry.id, fine, rework))
        found.append(Seen(entry, fine, scrap, rework, own))
    if problems:
        raise FaultyData(problems)
    return tuple(found)


def cost_of(loss: Loss, weights: Weights) -> Cost:
    """Return a loss in kilograms of CO2e, CNY and kilograms of material."""
    worth = weights.worth(loss)
    return Cost(worth.kgco2e, worth.total_cny, loss.mass_kg)


def each_of(seen: Seen, given: Given, plan: Plan, weights: Weights, draw: Draw = central) -> Each:
    """Return what one piece of a part costs in every case."""
    part = plan.parts[seen.entry.id]

    def cost(loss: Loss) -> Cost:
        return cost_of(loss, weights)

    def mean(kind: str, otherwise: Cost | None) -> Cost | None:
        rows = [one for one in seen.defects if one.disposition == kind]
        total = Cost()
        for one in rows:
            route = mended_by(given, one.part, one.defect)
            loss = scrapped(part, one.station, plan.materials) if kind == SCRAP else reworked(plan.reworks[route.id], plan.materials) if route else Loss()  # fmt: skip
            total = total + cost(loss).times(one.count)
        return total.times(1.0 / sum(one.count for one in rows)) if rows else otherwise

    lost = mean(SCRAP, cost(scrapped(part, part.steps[-1].station, plan.materials))) or Cost()
    mended = mean(REWORK, None)
    both = seen.scrap + seen.rework
    found = (lost.times(seen.scrap) + (mended or Cost()).times(seen.rework)).times(1.0 / both) if both else Cost()
    path = f"parts[{seen.entry.id}]"
    stages = []
    for one in seen.entry.stages:
        where = f"{path}.stages[{one.id}]"
        share = draw(f"{where}.scrapped", one.scrapped)
        gone = cost(
            scrapped(plan.parts[one.part], one.station or plan.parts[one.part].steps[-1].station, plan.materials)
        )
        back = cost(reworked(plan.reworks[one.rework], plan.materials)) if one.rework else Cost()
        handled = Cost(cny=draw(f"{where}.handling", one.handling) if one.handling else 0.0)
        stages.append(
            Stage(one.id, draw(f"{where}.caught", one.caught), gone.times(share) + back.times(1.0 - share) + handled)
        )
    rejected = None
    entry = seen.entry.false_reject
    if entry is not None:
        minutes = draw(f"{path}.false_reject.recheck", entry.recheck)
        rejected = cost(Loss(minutes=minutes)) + lost.times(draw(f"{path}.false_reject.scrapped", entry.scrapped))
    return Each(lost, mended, found, escaped(stages) if stages else None, rejected)


@dataclass(frozen=True)
class _Work:
    context: Context
    given: Given
    stations: Mapping[str, Station]
    weights: Weights
    confidence: float

    def values(self, wanted: Sequence[Seen]) -> tuple[PartValue, ...]:
        """Return what one point of each part is worth, with intervals; every draw is one plant for all parts."""
        middle = self._at(wanted, central, [_counted(one) for one in wanted])
        random = np.random.default_rng(SEED)
        drawn = [self._at(wanted, _drawing(random), [_shares(one, random) for one in wanted]) for _ in range(DRAWS)]

        def over(place: int, which: int) -> dict[str, dict[str, Spread]]:
            return {
                kind: {name: self._spread(getattr(one, name), [getattr(each[place][which][kind], name) for each in drawn]) for name in FIGURES}
                for kind, one in middle[place][which].items()
            }  # fmt: skip

        return tuple(
            PartValue(
                one.entry.id,
                one.good,
                one.scrap,
                one.rework,
                over(place, 0),
                over(place, 1),
                over(place, 2),
                _missing(one),
            )
            for place, one in enumerate(wanted)
        )

    def _at(self, wanted: Sequence[Seen], draw: Draw, shares: Sequence[Shares]) -> list[tuple[dict[str, Cost], ...]]:
        """Return by part what a piece costs, what a point is worth, and a point of scrap behind each station, as ``draw`` takes numbers."""
        plan = plan_of(self.context, self.given, draw, self.stations)
        weights = self.weights if draw is central else priced(self.weights, self.given, draw)
        found: list[tuple[dict[str, Cost], ...]] = []
        for seen, share in zip(wanted, shares, strict=True):
            each = each_of(seen, self.given, plan, weights, draw)
            known = {kind: getattr(each, kind) for kind in KINDS if getattr(each, kind) is not None}
            behind = {
                step.station: points(float(seen.good), share, replace(each, scrap=cost_of(scrapped(plan.parts[seen.entry.id], step.station, plan.materials), weights)))["scrap"]
                for step in plan.parts[seen.entry.id].steps
            }  # fmt: skip
            found.append((known, points(float(seen.good), share, each), behind))
        return found

    def _spread(self, value: float, drawn: Sequence[float]) -> Spread:
        tail = (1.0 - self.confidence) / 2.0
        low, high = np.quantile(drawn, [tail, 1.0 - tail])
        return Spread(value, min(value, float(low)), max(value, float(high)))


def _drawing(random: np.random.Generator) -> Draw:
    """Return what takes each number at random between its bounds, the same number each time it is asked for."""
    known: dict[str, float] = {}

    def draw(path: str, one: Figure) -> float:
        if path not in known:
            low, high = one.value if one.low is None else one.low, one.value if one.high is None else one.high
            known[path] = float(random.triangular(low, one.value, high)) if high > low else one.value
        return known[path]

    return draw


def _counted(seen: Seen) -> Shares:
    total = seen.good + seen.scrap
    return Shares(seen.scrap / total, min(1.0, (seen.scrap + seen.rework) / total))


def _shares(seen: Seen, random: np.random.Generator) -> Shares:
    total = seen.good + seen.scrap
    scrap = float(random.beta(seen.scrap + 0.5, seen.good + 0.5))
    mended = float(random.beta(seen.rework + 0.5, max(0, total - seen.rework) + 0.5))
    return Shares(min(scrap, 0.98), min(1.0, scrap + mended))


def _missing(seen: Seen) -> dict[str, Text]:
    found = {}
    if not seen.rework:
        found["rework"] = Text("本期没有返工件。", "No piece was mended in the period.")
    if not seen.entry.stages:
        found["escape"] = Text("quality.toml 没有写漏检在何处被发现(stages)。", "quality.toml states no stages where an escape is found.")  # fmt: skip
    if seen.entry.false_reject is None:
        found["false_reject"] = Text("quality.toml 没有写误判后怎么办(false_reject)。", "quality.toml states no false_reject.")  # fmt: skip
    return found


def _no_pieces(part: str, fine: int, rework: int) -> Problem:
    message = Text(f"“{part}”的合格件数 {fine} 少于返工件数 {rework} 或为零。", f"'{part}' has {fine} good pieces, fewer than the {rework} mended, or none.")  # fmt: skip
    hint = Text("请先封存产量, 在缺陷表写合格件(处置=合格), 或用 --good 给出。", "Book the output first, write accepted pieces into the table, or give --good.")  # fmt: skip
    return Problem("scrap.no_pieces", message, hint)
