"""How much of the metal comes back: rates by metal with their sources, what the book shows, closed loop beside cut-off, and the measure.

Cut-off: sold scrap leaves without burden or credit, all metal put in is bought. Closed loop: what comes back takes the place of metal
bought. What sold scrap spares its next user is told apart (`recycling_credit`) and added to neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zerofactory import units
from zerofactory.accounting.circularity import circularity
from zerofactory.errors import FaultyData, Text
from zerofactory.metering.activity_table import canonical
from zerofactory.optimisation.quality.loss import CLOSED, DISPOSED, SOLD, Loss, totals
from zerofactory.optimisation.quality.recovery import Recovery, rates
from zerofactory.planning.measure import Measure, measure
from zerofactory.runs.context import Context
from zerofactory.runs.emitted import Item, World
from zerofactory.runs.scrap import SCRAP, Asked, gathered, losses_of
from zerofactory.runs.scrap_file import Given, read
from zerofactory.runs.scrap_plan import PERCENT, plan_of, purchase, weights_of
from zerofactory.store.schema import ACTIVITIES

LOOP = "aluminium_scrap_loop"
ALUMINIUM = "aluminium"
RECYCLED = "recycled_fraction"


@dataclass(frozen=True, slots=True)
class Known:
    """A rate with its value found, and what the book shows of this metal in the period (None: nothing)."""

    rate: Recovery
    fraction: float
    booked_fraction: float | None
    target_fraction: float | None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        one = self.rate
        return {
            "metal": one.metal, "route": one.route, "title": _both(one.title), "fraction": self.fraction, "low": one.low, "high": one.high,
            "factor": one.factor or None, "of": _both(one.of), "source": one.source, "date": one.date, "status": one.status,
            "booked_fraction": self.booked_fraction, "target_fraction": self.target_fraction,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looped:
    """The scrap of one material in the period, and its metal in kg of CO2e by each rule.

    ``avoided_kgco2e`` is what sold scrap spares others, told apart; None where the file names no credit.
    """

    material: str
    metal: str | None
    fate: str
    put_in_kg: float
    scrap_kg: float
    recovered_kg: float
    lost_kg: float
    cut_off_kgco2e: float
    closed_loop_kgco2e: float
    avoided_kgco2e: float | None

    @property
    def booked_kgco2e(self) -> float:
        """By the rule that its fate stands for."""
        return self.closed_loop_kgco2e if self.fate in CLOSED else self.cut_off_kgco2e

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in (*self.__slots__, "booked_kgco2e")}


@dataclass(frozen=True, slots=True)
class Loop:
    """What a measure of the catalogue presumes, and how far the scrap of the period carries it."""

    measure: str
    title: Text
    share_fraction: float
    recycled_fraction: float
    bought_kg: float
    needed_kg: float
    available_kg: float
    carried_kg: float
    saved_kgco2e: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {**{name: getattr(self, name) for name in self.__slots__ if name != "title"}, "title": _both(self.title)}


@dataclass(frozen=True)
class Recovered:
    """Rates, materials of the period, and the measure."""

    asked: Asked
    given: Given
    rates: tuple[Known, ...]
    materials: tuple[Looped, ...]
    loop: Loop | None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        titles = {one.id: _both(one.name.text) for one in self.given.form.materials}
        return {
            "period": self.asked.period.label, "rates": [one.as_json() for one in self.rates], "titles": titles,
            "materials": [one.as_json() for one in self.materials], "loop": None if self.loop is None else self.loop.as_json(),
        }  # fmt: skip


def run(context: Context, asked: Asked) -> Recovered:
    """Return rates of recovery and what the scrap of a period comes to by each rule; raise `FaultyData` as `scrap.run` does."""
    given = read(context)
    materials = looped(context, given, asked, scrap_of(context, given, asked))
    return Recovered(asked, given, known(context, asked), materials, _loop(context, given, asked, materials))


def known(context: Context, asked: Asked) -> tuple[Known, ...]:
    """Return every rate, the published ones from the factor sets, beside the metals of the book."""
    labels = [month.label for month in asked.period.months()]
    found = circularity(context.workspace.journal.active(ACTIVITIES, {"period": labels}))
    metals = {one.item: one for one in found if one.key == "metals_recovery" and not one.shop and one.item}
    return tuple(
        Known(
            one,
            fraction_of(context, one),
            metals[one.metal].value_fraction if one.metal in metals else None,
            metals[one.metal].target_fraction if one.metal in metals else None,
        )
        for one in rates()
    )


def fraction_of(context: Context, one: Recovery) -> float:
    """Return the value of a rate: its own, or that of the factor it names (in percent)."""
    return (
        one.fraction if one.fraction is not None else context.workspace.factor_book.factor(one.factor).value / PERCENT
    )


def scrap_of(context: Context, given: Given, asked: Asked) -> Loss:
    """Return what all scrapped pieces of a period come to."""
    defects, _, _ = gathered(context, given, asked.period, asked.file)
    losses = losses_of(defects, given, plan_of(context, given))
    return totals(
        [loss.times(one.count) for one, loss in zip(defects, losses, strict=True) if one.disposition == SCRAP]
    )


def looped(context: Context, given: Given, asked: Asked, loss: Loss) -> tuple[Looped, ...]:
    """Return each material with its metal by cut-off and by closed loop."""
    weights = weights_of(context, given, asked.period.year)
    plan = plan_of(context, given)
    found = []
    for one in given.form.materials:
        put_in, scrap = loss.put_in_kg.get(one.id, 0.0), loss.scrap_kg.get(one.id, 0.0)
        if not scrap:
            continue
        grams = weights.bought_gco2e[one.id]
        back = scrap * (0.0 if one.fate == DISPOSED else plan.materials[one.id].recovery_fraction)
        spared = weights.avoided_gco2e.get(one.id)
        found.append(
            Looped(
                one.id, one.metal, one.fate, put_in, scrap, back, scrap - back, put_in * grams / 1000.0, (put_in - back) * grams / 1000.0,
                None if one.fate != SOLD or spared is None else back * spared / 1000.0,
            )
        )  # fmt: skip
    return tuple(found)


def _loop(context: Context, given: Given, asked: Asked, materials: tuple[Looped, ...]) -> Loop | None:
    """Return how far sold aluminium scrap carries the measure; None where no aluminium is bought or sold as scrap.

    A tonne of sheet with a recycled share r in the place of one with r₀ takes (r − r₀) tonnes of scrap that came back.
    """
    sold = [one for one in materials if one.metal == ALUMINIUM and one.fate == SOLD]
    entry = next((one for one in given.form.materials if sold and one.id == sold[0].material), None)
    if entry is None or entry.booked.purchase is None:
        return None
    chosen: Measure = measure(LOOP)
    saving = chosen.savings[0]
    new = float(saving.instead[0].detail[RECYCLED])
    item, detail, shop = purchase(entry, context.workspace.plant)
    old = float(str(detail.get(RECYCLED, 0.0)))
    bought = _bought(context, asked, entry.booked.purchase)
    back = sum(one.recovered_kg for one in sold)
    needed = saving.fraction * bought * max(0.0, new - old)
    carried = min(saving.fraction * bought, back / (new - old)) if new > old else 0.0
    world = World(context.workspace.plant, context.workspace.factor_book, asked.period.year)
    pair = [Item("purchased_goods", item, "kg", canonical({**detail, **more}), shop) for more in ({}, {RECYCLED: new})]
    try:
        grams = world.per_unit(pair)
    except FaultyData:
        return None
    saved = carried * (grams[pair[0]].total_gco2e - grams[pair[1]].total_gco2e) / 1000.0
    return Loop(LOOP, chosen.title, saving.fraction, new, bought, needed, back, carried, saved)


def _bought(context: Context, asked: Asked, source: str) -> float:
    labels = [month.label for month in asked.period.months()]
    rows = context.workspace.journal.active(ACTIVITIES, {"period": labels, "source_id": source})
    return sum(units.convert(amount, unit, "kg") for amount, unit in rows.select("quantity", "unit").iter_rows() if units.parse(unit).dimension == "mass")  # fmt: skip


def _both(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}
