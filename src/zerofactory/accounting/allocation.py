"""Allocation (分摊): the emissions of a period shared out over what was made, in whole grams, nothing lost.

Order of methods for each shop and month (GB/T 24067-2024 and ISO 14067, 6.4.6: subdivide first, then physical, then economic):

metered    the use of each product or work order was metered in that shop: in proportion to it
quota      otherwise by equivalent units: output × k_i, k_i = t_i / t_0, t_i the time quota (工时定额) of the product in the shop,
           t_0 that of the reference product (standards, 13)
period     the month had no output: by the equivalent units of the whole period
overhead   no product has a quota in the shop (utilities): by the sum of its quotas over all shops
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Literal

from zerofactory.errors import Misuse, Problem, Text
from zerofactory.metering.activity import largest_remainder

Method = Literal["metered", "quota", "period", "overhead"]
Target = tuple[str, str]
METHODS: Mapping[str, Text] = {
    "metered": Text("按车间计量用量", "by metered use in the shop"),
    "quota": Text("按工时定额当量 k=t/t₀", "by time-quota equivalent units k = t/t₀"),
    "period": Text("当月无产量, 按全期工时定额当量", "no output in the month: by equivalent units of the whole period"),
    "overhead": Text("公用: 按各车间工时定额之和", "overhead: by the sum of time quotas over the shops"),
}


@dataclass(frozen=True, slots=True)
class Output:
    """What was made in one month: a product, perhaps under a work order, and how many."""

    product: str
    period: str
    quantity: float
    work_order: str = ""

    @property
    def target(self) -> Target:
        """What emissions are allocated to."""
        return self.product, self.work_order


@dataclass(frozen=True, slots=True)
class MeteredUse:
    """What one product or work order used in one shop and month, in a unit that is the same for the whole shop."""

    product: str
    shop: str
    period: str
    quantity: float
    work_order: str = ""


@dataclass(frozen=True, slots=True)
class Pool:
    """Emissions of one shop and month that are shared out as one. ``key`` names what they are."""

    shop: str
    period: str
    key: str
    emissions_gco2e: int


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a pool that falls to one target."""

    target: Target
    pool: Pool
    method: Method
    emissions_gco2e: int


@dataclass(frozen=True, slots=True)
class Basis:
    """What the sharing rests on. ``quotas`` are minutes per unit by product and shop, in the order of the products."""

    outputs: tuple[Output, ...]
    quotas: Mapping[str, Mapping[str, float]]
    metered: tuple[MeteredUse, ...] = ()


def equivalent_units(quotas: Mapping[str, Mapping[str, float]], shop: str) -> dict[str, Fraction]:
    """Return k_i = t_i / t_0 of each product with a quota in a shop; t_0 is that of the first of them.

    Examples
    --------
    >>> {name: float(k) for name, k in equivalent_units({"a": {"body": 40.0}, "b": {"body": 50.0}}, "body").items()}
    {'a': 1.0, 'b': 1.25}
    """
    minutes = {name: _exact(shops[shop]) for name, shops in quotas.items() if shops.get(shop, 0.0) > 0}
    first = next(iter(minutes.values()), Fraction(1))
    return {name: value / first for name, value in minutes.items()}


def share_out(total: int, weights: Mapping[Target, Fraction]) -> dict[Target, int]:
    """Return a whole total, also a negative one, in proportion to weights; the sum is kept exactly.

    Examples
    --------
    100 g over 3 cars at k = 1 and 2 at k = 1.5 (3 + 3 equivalent units):

    >>> share_out(100, {("a", ""): Fraction(3), ("b", ""): Fraction(3)})
    {('a', ''): 50, ('b', ''): 50}
    >>> sum(share_out(-101, {("a", ""): Fraction(1, 3), ("b", ""): Fraction(2, 7)}).values())
    -101
    """
    scale = lcm(*(weight.denominator for weight in weights.values()))
    whole = {"\0".join(target): int(weight * scale) for target, weight in weights.items()}
    parts = largest_remainder(abs(total), whole)
    sign = -1 if total < 0 else 1
    return {target: sign * parts["\0".join(target)] for target in weights}


def allocate(pools: Iterable[Pool], basis: Basis) -> list[Share]:
    """Return every pool shared out; the grams of the shares add up to the grams of the pools, pool by pool.

    Raises
    ------
    Misuse
        There is no output at all, or none with a quota: see `faults`, which says so as problems beforehand.

    Examples
    --------
    By hand: the body shop emitted 1 000 g. 10 of a (t = 40 min) and 8 of b (t = 50 min): 10 + 8 × 1.25 = 20 equivalent
    units, 50 g each; a gets 500 g and b 500 g.

    >>> basis = Basis((Output("a", "2025-01", 10.0), Output("b", "2025-01", 8.0)), {"a": {"body": 40.0}, "b": {"body": 50.0}})
    >>> [(s.target[0], s.emissions_gco2e) for s in allocate([Pool("body", "2025-01", "electricity", 1000)], basis)]
    [('a', 500), ('b', 500)]
    """
    made: dict[tuple[str, str], tuple[Method, dict[Target, Fraction]]] = {}
    shares = []
    for pool in pools:
        place = (pool.shop, pool.period)
        if place not in made:
            made[place] = _weights(basis, *place)
        method, weights = made[place]
        parts = share_out(pool.emissions_gco2e, weights)
        shares += [Share(target, pool, method, grams) for target, grams in parts.items()]
    return shares


def _weights(basis: Basis, shop: str, period: str) -> tuple[Method, dict[Target, Fraction]]:
    metered: dict[Target, Fraction] = {}
    for use in basis.metered:
        if (use.shop, use.period) == (shop, period):
            for target, part in _targets_of(use, basis.outputs).items():
                metered[target] = metered.get(target, Fraction(0)) + part * _exact(use.quantity)
    if any(metered.values()):
        return "metered", metered
    units = equivalent_units(basis.quotas, shop)
    overhead = not any(output.product in units and output.quantity > 0 for output in basis.outputs)
    if overhead:
        units = {name: sum((_exact(t) for t in shops.values()), Fraction(0)) for name, shops in basis.quotas.items()}
    in_month = _summed([output for output in basis.outputs if output.period == period], units)
    if any(in_month.values()):
        return ("overhead" if overhead else "quota"), in_month
    in_period = _summed(basis.outputs, units)
    if not any(in_period.values()):
        raise Misuse("nothing was made to which emissions could be allocated")
    return ("overhead" if overhead else "period"), in_period


def _targets_of(use: MeteredUse, outputs: Sequence[Output]) -> dict[Target, Fraction]:
    """Return what a metered use falls to: its work order, or the product's outputs of the month (else of the period) by quantity."""
    if use.work_order:
        return {(use.product, use.work_order): Fraction(1)}
    made = [output for output in outputs if output.product == use.product and output.quantity > 0]
    made = [output for output in made if output.period == use.period] or made
    whole = sum((_exact(output.quantity) for output in made), Fraction(0))
    shares: dict[Target, Fraction] = {} if made else {(use.product, ""): Fraction(1)}
    for output in made:
        shares[output.target] = shares.get(output.target, Fraction(0)) + _exact(output.quantity) / whole
    return shares


def _summed(outputs: Sequence[Output], units: Mapping[str, Fraction]) -> dict[Target, Fraction]:
    weights: dict[Target, Fraction] = {}
    for output in outputs:
        if output.product in units:
            weight = units[output.product] * _exact(output.quantity)
            weights[output.target] = weights.get(output.target, Fraction(0)) + weight
    return weights


def faults(basis: Basis, shops: Sequence[str]) -> list[Problem]:
    """Return what stands in the way of an allocation: no output, no quota, a negative amount, metering in part."""
    problems = []
    if not any(output.quantity > 0 for output in basis.outputs):
        problems.append(
            _fault(
                "no_output",
                Text("期内没有产量, 无法分摊。", "Nothing was made in the period; nothing can be allocated to."),
                Text(
                    "请先导入产量凭证(品种填产品编号)。", "Import the production documents, the product's id as item."
                ),
            )
        )
    for name in dict.fromkeys(output.product for output in basis.outputs):
        if not any(basis.quotas.get(name, {}).values()):
            problems.append(
                _fault(
                    "no_quota",
                    Text(f"产品“{name}”有产量, 没有工时定额。", f"Product '{name}' was made and has no time quota."),
                    Text(
                        f"请在 products/{name}.toml 的 [time_quota_min] 填写各车间工时。",
                        f"Fill in [time_quota_min] of products/{name}.toml.",
                    ),
                )
            )
    problems += [_negative(output.product, output.quantity) for output in basis.outputs if output.quantity < 0]
    problems += [_negative(use.product, use.quantity) for use in basis.metered if use.quantity < 0]
    return problems + _not_made(basis) + _partly(basis) + _unknown_shops(basis, shops)


def _not_made(basis: Basis) -> list[Problem]:
    """Return the metered uses of products or work orders that nothing was made of: their emissions would fall to no product."""
    made = {output.target for output in basis.outputs if output.quantity > 0}
    products = {product for product, _ in made}
    targets = dict.fromkeys((use.product, use.work_order) for use in basis.metered if use.quantity > 0)
    return [
        _fault(
            "metered_not_made",
            Text(
                f"“{' '.join(target).strip()}”有计量用量, 期内没有产量。",
                f"'{' '.join(target).strip()}' has metered use and was not made in the period.",
            ),
            Text("请核对产品、工单与产量凭证。", "Check the product, the work order and the production documents."),
        )
        for target in targets
        if target not in made and (target[1] or target[0] not in products)
    ]


def _partly(basis: Basis) -> list[Problem]:
    """Return where some products of a shop and month are metered and others, made that month, are not."""
    problems = []
    places = dict.fromkeys((use.shop, use.period) for use in basis.metered)
    for shop, period in places:
        known = {use.product for use in basis.metered if (use.shop, use.period) == (shop, period)}
        passing = equivalent_units(basis.quotas, shop)
        lacking = sorted({o.product for o in basis.outputs if o.period == period and o.product in passing} - known)
        if lacking:
            listed = ", ".join(lacking)
            problems.append(
                _fault(
                    "metered_in_part",
                    Text(
                        f"车间“{shop}”{period} 只有部分产品有计量用量, 缺 {listed}。",
                        f"Shop '{shop}' in {period} has metered use of some products; {listed} lack it.",
                    ),
                    Text(
                        "请补全(没有用量写 0), 或整月不填。",
                        "Complete it (0 where nothing was used) or leave the month out.",
                    ),
                )
            )
    return problems


def _unknown_shops(basis: Basis, shops: Sequence[str]) -> list[Problem]:
    named = {shop for quotas in basis.quotas.values() for shop in quotas} | {use.shop for use in basis.metered}
    listed = ", ".join(shops)
    return [
        _fault(
            "unknown_shop",
            Text(f"没有车间“{shop}”。", f"There is no shop '{shop}'."),
            Text(f"可选: {listed}。", f"Choose one of: {listed}."),
        )
        for shop in sorted(named - set(shops))
    ]


def _negative(name: str, amount: float) -> Problem:
    return _fault(
        "negative_amount",
        Text(f"产品“{name}”的数量 {amount:g} 为负。", f"The amount {amount:g} of product '{name}' is negative."),
        Text("请改正。", "Mend it."),
    )


def _exact(value: float) -> Fraction:
    """Return the decimal a person wrote, not the binary number beside it."""
    return Fraction(Decimal(repr(value)))


def _fault(code: str, message: Text, hint: Text) -> Problem:
    return Problem(f"footprint.{code}", message, hint)
