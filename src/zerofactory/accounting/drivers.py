"""Drivers: what the uncertainty of a total comes from, and which better meter would pay.

Share of a part in the variance: S² / Σ S². Replacing a meter of half-width U by one of U′ changes its S to S × U′ / U, and the total's
half-width to sqrt(Σ S²) / |Σ x| with the new S (first order; IPCC 2006 Vol. 1 eq. 3.1, 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from zerofactory.accounting.measure import MeterClass, meter_classes
from zerofactory.accounting.source import sources
from zerofactory.accounting.spread import PartKind, Spread, Stake, stakes
from zerofactory.errors import Text
from zerofactory.factors.model import FactorBook
from zerofactory.factors.resolve import uncertainty
from zerofactory.site.model import Plant


@dataclass(frozen=True, slots=True)
class Driver:
    """One part, or the documents of one source together, with its share of the variance of the total."""

    key: str
    kind: PartKind
    title: Text
    half_width_fraction: float
    variance_share: float


@dataclass(frozen=True, slots=True)
class BetterMeter:
    """What a better measurement of one amount would give: half-widths of the amount and of the total, before and after."""

    key: str
    title: Text
    action: Text
    half_width_fraction: float
    better_fraction: float
    total_before_fraction: float
    total_after_fraction: float

    @property
    def gain_fraction(self) -> float:
        """By how much the half-width of the total falls."""
        return self.total_before_fraction - self.total_after_fraction


def drivers(spread: Spread, plant: Plant, book: FactorBook) -> tuple[Driver, ...]:
    """Return every driver of the variance, the largest first."""
    grouped = _grouped(stakes(spread))
    variance = math.fsum(one.spread_g**2 for group in grouped.values() for one in group)
    found = [
        Driver(
            key,
            group[0].part.kind,
            _title(key, group[0], plant, book),
            max(one.part.half_width_fraction for one in group),
            math.fsum(one.spread_g**2 for one in group) / variance if variance else 0.0,
        )
        for key, group in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.variance_share, one.key)))


def better_meters(spread: Spread, plant: Plant, book: FactorBook) -> tuple[BetterMeter, ...]:
    """Return the amounts for which a better meter would narrow the total, the best first.

    A metered amount is set against the best class listed for its carrier, a document against metering as its kind would be.
    """
    grouped = _grouped(stakes(spread))
    total = abs(spread.total_g)
    variance = math.fsum(one.spread_g**2 for group in grouped.values() for one in group)
    before = math.sqrt(variance) / total if total else 0.0
    found = []
    for key, group in grouped.items():
        width = max(one.part.half_width_fraction for one in group)
        better = _better(group[0], plant, book)
        if better is None or better[0] >= width or not total:
            continue
        own = math.fsum(one.spread_g**2 for one in group)
        after = math.sqrt(max(0.0, variance - own * (1.0 - (better[0] / width) ** 2))) / total
        title = _title(key, group[0], plant, book)
        found.append(BetterMeter(key, title, better[1], width, better[0], before, after))
    return tuple(sorted(found, key=lambda one: (-one.gain_fraction, one.key)))


def _grouped(parts: Sequence[Stake]) -> dict[str, list[Stake]]:
    """Return parts by key, the documents of one source together."""
    groups: dict[str, list[Stake]] = {}
    for one in parts:
        if one.spread_g:
            groups.setdefault(f"document:{one.part.owner}" if one.part.kind == "document" else one.part.key, []).append(
                one
            )
    return groups


def _title(key: str, stake: Stake, plant: Plant, book: FactorBook) -> Text:
    kind, _, name = key.partition(":")
    if kind == "factor":
        return book.by_id[name].title if name in book.by_id else Text(name, name)
    if kind == "meter":
        names = {meter.id: meter.name for meter in plant.meters}
        listed = [names[one] for one in name.split("+") if one in names]
        if listed:
            return Text("、".join(one.zh for one in listed), ", ".join(one.en for one in listed))
    owners = {use.id: use.name for use in plant.sources}
    source = owners.get(stake.part.owner, Text(stake.part.owner, stake.part.owner))
    if kind == "pedigree":
        return Text(f"{source.zh}(数据质量)", f"{source.en} (data quality)")
    return source


def _better(stake: Stake, plant: Plant, book: FactorBook) -> tuple[float, Text] | None:
    """Return the half-width of a better measurement and what to do; None where no table knows one."""
    if stake.part.kind == "meter":
        best = _best_class(stake, plant, book)
        if best is None:
            return None
        return best.half_width_fraction, Text(
            f"换用 {best.accuracy_class} 级表", f"a meter of class {best.accuracy_class}"
        )
    uses = {use.id: use for use in plant.sources}
    if stake.part.kind != "document" or stake.part.owner not in uses:
        return None
    kind = sources().get(uses[stake.part.owner].kind)
    entry = kind.activity_uncertainty.get("metered") if kind else None
    return (uncertainty(book, entry), Text("改为计量", "meter it")) if entry else None


def _best_class(stake: Stake, plant: Plant, book: FactorBook) -> MeterClass | None:
    carriers = {meter.id: meter.carrier for meter in plant.meters}
    measured = {carriers[name] for name in stake.part.key.removeprefix("meter:").split("+") if name in carriers}
    found = [one for one in meter_classes(book).values() if one.carrier in measured]
    return min(found, key=lambda one: (one.half_width_fraction, one.accuracy_class), default=None)
