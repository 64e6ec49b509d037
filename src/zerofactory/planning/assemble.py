"""Assemble: the plan, the measures and the plant's streams become a draft of a portfolio, every choice told.

What a measure needs and the plant lacks (a source of its kind, an end use) makes it not applicable, with the reason. Where
what takes the place of a saving is of a kind the plant does not have yet (its first photovoltaic roof), the plan adds a
source for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zerofactory import units
from zerofactory.accounting.source import sources
from zerofactory.errors import Text
from zerofactory.metering.activity_table import canonical
from zerofactory.planning.commitment import Plan, StatedMeasure
from zerofactory.planning.end_use import EndUse, StatedUse, end_use
from zerofactory.planning.measure import Cost, Cover, Instead, Measure, Saving, measures
from zerofactory.planning.portfolio import CoverOption, Floats, Link, NotApplicable, Option
from zerofactory.planning.stream import CONTRACT, ELECTRICITY, Stream, shop_kind
from zerofactory.planning.tested import as_tested
from zerofactory.site.model import Plant, SourceUse

ADDED = "plan-"


@dataclass(frozen=True, slots=True)
class Part:
    """What an end use takes of one stream, in the stream's own unit."""

    stream: Stream
    amount: float


class _Reason(Exception):
    """Why a measure cannot be taken here."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, eq=False)
class Drawn:
    """A portfolio without factors and prices: streams, options, links, contracts, and how the end uses were found."""

    plant: Plant
    streams: tuple[Stream, ...]
    base: Floats
    options: tuple[Option, ...]
    links: tuple[Link, ...]
    link_matrix: Floats
    option_matrix: Floats
    covers: tuple[CoverOption, ...]
    credit: Measure | None
    not_applicable: tuple[NotApplicable, ...]
    uses: Mapping[str, tuple[Part, ...]]


@dataclass
class _Work:
    """What is being collected while measures are read one by one."""

    plan: Plan
    plant: Plant
    amounts: dict[Stream, float]
    metered: Mapping[str, float]
    vehicles: float
    uses: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)
    links: list[tuple[Link, dict[Stream, float]]] = field(default_factory=list)
    fixed: list[dict[Stream, float]] = field(default_factory=list)
    covers: list[tuple[Measure, Cover, Stream, StatedMeasure]] = field(default_factory=list)
    credit: Measure | None = None
    refused: list[NotApplicable] = field(default_factory=list)


def draw_up(
    plan: Plan,
    plant: Plant,
    amounts: Mapping[Stream, float],
    metered: Mapping[str, float],
    catalogue: Sequence[Measure] = (),
) -> Drawn:
    """Return the draft of a portfolio.

    Parameters
    ----------
    amounts : the streams of the base year (`stream.streams_of`).
    metered : yearly amount of each meter that the plan's end uses name, in the unit of the end use.
    catalogue : measures to choose from; empty: all packaged ones.
    """
    vehicles = sum(
        amount for stream, amount in amounts.items()
        if stream.source_kind == "production_output" and stream.unit == "vehicle"
    )  # fmt: skip
    work = _Work(plan, plant, dict(amounts), metered, vehicles)
    for measure in sorted(catalogue or measures().values(), key=lambda one: one.rank):
        stated = plan.stated(measure.id)
        try:
            _take(work, measure, stated)
        except _Reason as why:
            work.refused.append(NotApplicable(measure, why.en, why.zh))
    return _drawn(work)


def _use_amounts(work: _Work, measure: Measure) -> dict[str, float]:
    """Return what each end use of a measure takes in the base year, in its own unit."""
    found = {}
    for saving in measure.savings:
        use = end_use(saving.end_use)
        if saving.end_use not in work.uses:
            work.uses[saving.end_use] = parts_of(work, use)
        parts = work.uses[saving.end_use]
        found[saving.end_use] = sum(units.convert(part.amount, part.stream.unit, use.unit) for part in parts)
    return found


def _take(work: _Work, measure: Measure, stated: StatedMeasure) -> None:
    """Add one measure to the work; raise `_Reason` when it cannot be taken."""
    if stated.exclude:
        why = stated.reason or "-"
        raise _Reason(f"企业排除: {why}", f"excluded by the plant: {why}")
    kinds = {shop.kind for shop in work.plant.shops}
    if measure.shops and not kinds & set(measure.shops):
        raise _Reason(f"没有{'、'.join(measure.shops)}车间", f"no such shop: {', '.join(measure.shops)}")
    if measure.credit is not None:
        work.credit = measure
        return
    if measure.cover is not None:
        work.covers.append((measure, measure.cover, _contract_stream(work, measure.cover), stated))
        return
    test = work.plan.test_of(measure.id)
    if test is not None:
        measure = as_tested(measure, test, _use_amounts(work, measure))
    size = _size(work, measure, stated)
    links = _links(work, measure)
    fixed = _fixed(work, measure, size)
    if not links and not fixed:
        raise _Reason("工厂没有它作用的用能环节", "the plant has none of the end uses it acts on")
    number = len(work.options)
    work.options.append(_option(work, measure, stated, size, links))
    work.links += [(replace(link, option=number), delta) for link, delta in links]
    work.fixed.append(fixed)


def _size(work: _Work, measure: Measure, stated: StatedMeasure) -> float | None:
    if measure.size is None:
        return None
    if stated.size is not None:
        return stated.size
    return measure.size.amount * (work.vehicles if measure.size.basis == "vehicles" else 1.0)


def _option(
    work: _Work, measure: Measure, stated: StatedMeasure, size: float | None,
    links: Sequence[tuple[Link, Mapping[Stream, float]]],
) -> Option:  # fmt: skip
    head = work.plan.plan
    saved = 0.0
    if links:
        first = links[0][0]
        saved = first.fraction * sum(
            units.convert(part.amount, part.stream.unit, end_use(first.end_use).unit)
            for part in work.uses[first.end_use]
        )
    bases = {"fixed": 1.0, "vehicles": work.vehicles, "size": size or 0.0, "saved": saved}

    def money(costs: tuple[Cost, ...]) -> float:
        return sum(bases[cost.basis] * cost.cny for cost in costs)

    earliest = max(head.first_year + measure.lead_years, measure.earliest_year or 0, stated.earliest_year or 0)
    return Option(
        measure=measure,
        capex_cny=money(measure.capex) if stated.capex_cny is None else stated.capex_cny,
        opex_cny=money(measure.opex) if stated.opex_cny is None else stated.opex_cny,
        earliest=stated.start_year or earliest,
        latest=stated.latest_year or head.last_year,
        size=size,
        size_unit=measure.size.unit if measure.size else None,
        fixed_start=stated.start_year,
    )


def _links(work: _Work, measure: Measure) -> list[tuple[Link, dict[Stream, float]]]:
    """Return the links of a measure (their option number to be set), each with what it changes at w = 1."""
    found = []
    for saving in measure.savings:
        if saving.end_use not in work.uses:
            work.uses[saving.end_use] = parts_of(work, end_use(saving.end_use))
        if not sum(part.amount for part in work.uses[saving.end_use]):
            continue
        delta: dict[Stream, float] = {}
        for part in work.uses[saving.end_use]:
            _change(work, delta, part, saving)
        before = tuple(place for place, (link, _) in enumerate(work.links) if link.end_use == saving.end_use)
        found.append((Link(0, saving.end_use, saving.fraction, before), delta))
    return found


def _in_shops(work: _Work, stream: Stream, shops: Sequence[str]) -> bool:
    return shop_kind(work.plant, stream.shop) in shops


def _change(work: _Work, delta: dict[Stream, float], part: Part, saving: Saving) -> None:
    """Add to ``delta`` what a saving changes on one part: less of it, and what takes its place."""
    delta[part.stream] = delta.get(part.stream, 0.0) - saving.fraction * part.amount
    in_unit = units.convert(part.amount, part.stream.unit, end_use(saving.end_use).unit)
    for other in saving.instead:
        target = _target(work, part.stream, other)
        amount = units.convert(saving.fraction * in_unit * other.per_unit, other.unit, target.unit)
        delta[target] = delta.get(target, 0.0) + amount


def _target(work: _Work, saved: Stream, other: Instead) -> Stream:
    """Return the stream that takes the place of a saving; one that the plant lacks is added with amount 0."""
    if other.source_kind is None or (other.source_kind == saved.source_kind and other.item == saved.item):
        detail = canonical({**saved.particulars, **other.detail})
        return _known(work, replace(saved, item=other.item or saved.item, detail=detail))
    near = [
        stream for stream in work.amounts
        if stream.source_kind == other.source_kind and (other.item is None or stream.item == other.item)
    ]  # fmt: skip
    if near:
        here = [stream for stream in near if stream.shop == saved.shop]
        found = (here or near)[0]
        return _known(work, replace(found, shop=saved.shop) if other.source_kind == ELECTRICITY else found)
    use = _source(work, other.source_kind)
    stream = Stream(
        use.id, other.source_kind, saved.shop, other.item, other.unit, canonical(dict(other.detail)), "estimated"
    )
    return _known(work, stream)


def _known(work: _Work, stream: Stream) -> Stream:
    work.amounts.setdefault(stream, 0.0)
    return stream


def _source(work: _Work, kind: str) -> SourceUse:
    """Return a source of a kind, one added by the plan where the plant has none."""
    for use in work.plant.sources:
        if use.kind == kind:
            return use
    title = sources()[kind].title
    name = Text(f"规划新增: {title.zh}", f"added by the plan: {title.en}")
    shop = next((one.id for one in work.plant.shops if one.kind == "utilities"), work.plant.shops[0].id)
    added = SourceUse(id=f"{ADDED}{kind}", kind=kind, name=name, shop=shop)
    work.plant = replace(work.plant, sources=(*work.plant.sources, added))
    return added


def _fixed(work: _Work, measure: Measure, size: float | None) -> dict[Stream, float]:
    """Return the fixed yearly changes of a measure's amounts, shared over the shops of the base year."""
    delta: dict[Stream, float] = {}
    for amount in measure.amounts:
        whole = amount.per_size * (size or 0.0)
        like = {
            stream: value for stream, value in work.amounts.items()
            if stream.source_kind == amount.source_kind and value > 0
            and (amount.item is None or stream.item == amount.item)
            and (not amount.detail or amount.source_kind != "tree_removal")
        }  # fmt: skip
        if like:
            everything = sum(like.values())
            for stream, value in like.items():
                share = units.convert(whole, amount.unit, stream.unit) * value / everything
                delta[stream] = delta.get(stream, 0.0) + share
            continue
        if whole < 0:
            raise _Reason(f"没有{amount.source_kind}可减少", f"there is no {amount.source_kind} to lower")
        use = _source(work, amount.source_kind)
        shop = use.shop or work.plant.shops[0].id
        detail = canonical(dict(amount.detail))
        stream = _known(work, Stream(use.id, use.kind, shop, amount.item, amount.unit, detail, "estimated"))
        delta[stream] = delta.get(stream, 0.0) + whole
    return delta


def _contract_stream(work: _Work, cover: Cover) -> Stream:
    """Return the stream of a new contract, with the particulars that make it count in the market-based view."""
    if not any(stream.source_kind == ELECTRICITY for stream in work.amounts):
        raise _Reason("没有外购电力", "no electricity is purchased")
    use = _source(work, CONTRACT)
    detail: dict[str, str | float] = {
        "instrument_kind": cover.instrument_kind,
        "market": work.plant.region.partition("-")[0],
        "beneficiary": work.plant.organisation.name.zh,
        "retired": "yes",
        "sole_claim": "yes",
        "rate_attribute": "yes",
        "certificates_sold": "no",
    }
    shop = use.shop or work.plant.shops[0].id
    return _known(work, Stream(use.id, CONTRACT, shop, "electricity", "MWh", canonical(detail), "estimated"))


def parts_of(work: _Work, use: EndUse) -> tuple[Part, ...]:
    """Return what an end use takes of the plant's streams: by its meters, by sources of its own, or by its share."""
    stated = next((one for one in work.plan.end_uses if one.id == use.id), StatedUse(use.id))
    fitting = {
        stream: amount for stream, amount in work.amounts.items()
        if stream.source_kind == use.source_kind and amount > 0
        and (not use.items or (stream.item or _item_of(work, stream)) in use.items)
        and (not use.shops or _in_shops(work, stream, use.shops))
    }  # fmt: skip
    if stated.sources:
        fitting = {stream: amount for stream, amount in fitting.items() if stream.source_id in stated.sources}
        return tuple(Part(stream, amount) for stream, amount in fitting.items())
    if stated.meters:
        return _metered(work, use, stated.meters, fitting)
    share = use.share_fraction if stated.share_fraction is None else stated.share_fraction
    return tuple(Part(stream, amount * share) for stream, amount in fitting.items())


def _metered(work: _Work, use: EndUse, meters: Sequence[str], fitting: Mapping[Stream, float]) -> tuple[Part, ...]:
    """Share what each meter counted over the streams of its shop; over all of them where its shop has none."""
    taken: dict[Stream, float] = {}
    for meter in meters:
        shop = work.plant.meter(meter).shop
        near = {stream: amount for stream, amount in fitting.items() if stream.shop == shop} or fitting
        everything = sum(near.values())
        for stream, amount in near.items():
            share = work.metered[meter] * amount / everything
            taken[stream] = taken.get(stream, 0.0) + units.convert(share, use.unit, stream.unit)
    return tuple(Part(stream, amount) for stream, amount in taken.items())


def _item_of(work: _Work, stream: Stream) -> str:
    return work.plant.source(stream.source_id).item or ""


def _drawn(work: _Work) -> Drawn:
    streams = tuple(work.amounts)
    place = {stream: number for number, stream in enumerate(streams)}
    link_matrix = np.zeros((len(streams), len(work.links)))
    for column, (_, delta) in enumerate(work.links):
        for stream, amount in delta.items():
            link_matrix[place[stream], column] += amount
    option_matrix = np.zeros((len(streams), len(work.options)))
    for column, delta in enumerate(work.fixed):
        for stream, amount in delta.items():
            option_matrix[place[stream], column] += amount
    covers = []
    for measure, cover, stream, stated in work.covers:
        covers.append(
            CoverOption(
                measure,
                place[stream],
                cover.max_fraction if stated.max_fraction is None else stated.max_fraction,
                cover.cny_per_mwh if stated.cny_per_mwh is None else stated.cny_per_mwh,
                max(
                    work.plan.plan.first_year + measure.lead_years - 1,
                    measure.earliest_year or 0,
                    stated.earliest_year or 0,
                ),
            )
        )
    return Drawn(
        plant=work.plant,
        streams=streams,
        base=np.array(list(work.amounts.values())),
        options=tuple(work.options),
        links=tuple(link for link, _ in work.links),
        link_matrix=link_matrix,
        option_matrix=option_matrix,
        covers=tuple(covers),
        credit=work.credit,
        not_applicable=tuple(work.refused),
        uses=dict(work.uses),
    )
