"""The whole account of the products of one period: allocate once, then each product, own parts before what holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from zerofactory import units
from zerofactory.accounting.allocation import Basis, MeteredUse, Output, Share, allocate, faults
from zerofactory.accounting.bill_of_materials import Bill, rings
from zerofactory.accounting.declared_footprint import DeclaredFootprint
from zerofactory.accounting.footprint import Boundary, Footprint, Line
from zerofactory.accounting.product_pools import Pools, Rebased, pools_of
from zerofactory.accounting.product_profile import Profile
from zerofactory.accounting.product_rules import product_rules
from zerofactory.accounting.product_stages import (
    Materials,
    end_of_life_lines,
    manufacturing_lines,
    material_lines,
    use_lines,
)
from zerofactory.errors import NotFound, Problem, Text, errors_of
from zerofactory.factors.model import FactorBook, Unresolved
from zerofactory.factors.resolve import Scope
from zerofactory.site.model import Plant

OUTPUT_KIND, WORK_ORDER = "production_output", "work_order"
COUNTED = ("count_vehicle", "count")


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything the account of a period is made from."""

    plant: Plant
    book: FactorBook
    scope: Scope
    records: pl.DataFrame
    activities: pl.DataFrame
    profiles: Mapping[str, Profile]
    bills: Mapping[str, Bill]
    suppliers: Mapping[str, DeclaredFootprint] = field(default_factory=dict)
    metered: tuple[MeteredUse, ...] = ()
    used_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class Allocated:
    """The emissions of the period allocated to everything made in it."""

    outputs: tuple[Output, ...]
    pools: Pools
    shares: tuple[Share, ...]

    @property
    def electricity(self) -> Rebased | None:
        """What was done to electricity."""
        return self.pools.electricity


def outputs_of(activities: pl.DataFrame, plant: Plant) -> tuple[tuple[Output, ...], list[Problem]]:
    """Return what was made, by product, work order and month, from the production documents; and every fault.

    The item of a production document is the id of a product of the plant file; the work order is its detail.
    """
    known = {product.id: product for product in plant.products}
    rows = activities.filter(pl.col("source_kind") == OUTPUT_KIND)
    problems: list[Problem] = []
    sums: dict[tuple[str, str, str], float] = {}
    for item, period, quantity, unit, detail in (
        rows.select("item", "period", "quantity", "unit", "detail").sort("item", "period", "detail").iter_rows()
    ):
        if item not in known:
            problems.append(_unknown_product(item, tuple(known)))
            continue
        try:
            amount = units.convert(quantity, unit, known[item].unit)
        except units.WrongDimension as fault:
            problems.append(fault.as_problem())
            continue
        order = str(_json(detail).get(WORK_ORDER, "") or "")
        sums[item, period, order] = sums.get((item, period, order), 0.0) + amount
    ordered = sorted(sums, key=lambda key: (list(known).index(key[0]), key[1], key[2]))
    made = tuple(Output(name, period, sums[name, period, order], order) for name, period, order in ordered)
    return made, list(dict.fromkeys(problems))


def _json(text: str) -> dict[str, object]:
    import json

    value = json.loads(text)
    return value if isinstance(value, dict) else {}


def allocated(stock: Stock) -> tuple[Allocated | None, list[Problem]]:
    """Return the emissions of the period shared out over everything made in it, or None with every fault."""
    outputs, problems = outputs_of(stock.activities, stock.plant)
    ordered = [product.id for product in stock.plant.products if product.id in stock.profiles]
    quotas = {name: stock.profiles[name].time_quota_min for name in ordered}
    basis = Basis(outputs, quotas, stock.metered)
    problems += faults(basis, [shop.id for shop in stock.plant.shops])
    if errors_of(problems):
        return None, problems
    try:
        pools = pools_of(stock.records, stock.activities, stock.book, stock.scope)
    except Unresolved as fault:
        return None, [*problems, fault.problem]
    return Allocated(outputs, pools, tuple(allocate(pools.pools, basis))), problems


def footprint_of(
    product: str, stock: Stock, made: Allocated, boundary: Boundary, period: str
) -> tuple[Footprint | None, list[Problem]]:
    """Return the footprint of one product, or None, and every fault and warning.

    Raises
    ------
    NotFound
        The plant has no such product.
    """
    stock.plant.product(product)
    order, problems = _order(product, stock)
    done: dict[str, Footprint] = {}
    for name in order:
        found, more = _one(name, stock, made, boundary if name == product else "cradle_to_gate", done, period)
        problems += more
        if found is None:
            return None, problems
        done[name] = found
    return done.get(product), problems


def _order(product: str, stock: Stock) -> tuple[list[str], list[Problem]]:
    """Return the product and the own products inside it, the innermost first; a product inside itself is a problem."""
    below: dict[str, list[str]] = {}
    waiting = [product]
    while waiting:
        name = waiting.pop()
        if name not in below:
            bill = stock.bills.get(name)
            below[name] = list(bill.own_products()) if bill is not None else []
            waiting += below[name]
    cycles = list(rings(below))
    if cycles:
        return [], [_product_cycle(ring) for ring in cycles]
    order: list[str] = []

    def visit(name: str) -> None:
        for inner in below[name]:
            if inner not in order:
                visit(inner)
        order.append(name)

    visit(product)
    return order, []


def _one(
    name: str, stock: Stock, made: Allocated, boundary: Boundary, done: Mapping[str, Footprint], period: str
) -> tuple[Footprint | None, list[Problem]]:
    quantity = sum(output.quantity for output in made.outputs if output.product == name)
    lacking = _lacking(name, stock, quantity)
    if lacking:
        return None, lacking
    profile, bill = stock.profiles[name], stock.bills[name]
    used_on = stock.used_on or datetime.combine(stock.scope.on, datetime.min.time()).astimezone()
    ground = Materials(stock.book, stock.scope, used_on, stock.suppliers, done)
    lines, cut_offs, problems = material_lines(bill, profile.mass_kg, ground)
    targets = list(dict.fromkeys(output.target for output in made.outputs if output.product == name))
    titles = {shop.id: shop.name for shop in stock.plant.shops}
    manufacture, methods, grams = manufacturing_lines(targets, quantity, made.shares, made.pools, titles)
    later: list[Line] = []
    if boundary == "life_cycle":
        later, more = _later(profile, stock)
        problems += more
    if errors_of(problems):
        return None, problems
    return Footprint(
        name, stock.plant.product(name).name, period, boundary, stock.plant.product(name).unit, quantity, grams,
        (*lines, *manufacture, *later), tuple(cut_offs), methods, profile.mass_kg,
        _by_work_order(made, name), _notes(made.electricity),
    ), problems  # fmt: skip


def _later(profile: Profile, stock: Stock) -> tuple[list[Line], list[Problem]]:
    problems: list[Problem] = []
    lines: list[Line] = []
    if profile.use is None or not profile.end_of_life:
        problems.append(_no_profile(profile.product, "[use] / [[end_of_life]]"))
    try:
        lines = [
            *use_lines(profile, stock.book, stock.scope, stock.plant.accounting.gwp_set),
            *end_of_life_lines(profile, stock.book, stock.scope),
        ]
    except Unresolved as fault:
        problems.append(fault.problem)
    return lines, problems


def _by_work_order(made: Allocated, name: str) -> dict[str, float]:
    """Return the allocated kilograms per unit of each work order of a product, empty when there are none."""
    amounts: dict[str, float] = {}
    for output in made.outputs:
        if output.product == name and output.work_order:
            amounts[output.work_order] = amounts.get(output.work_order, 0.0) + output.quantity
    grams: dict[str, int] = {}
    for share in made.shares:
        if share.target[0] == name and made.pools.keys[share.pool.key].component != "biogenic_co2":
            grams[share.target[1]] = grams.get(share.target[1], 0) + share.emissions_gco2e
    return {order: grams.get(order, 0) / 1000.0 / amount for order, amount in amounts.items() if amount}


def _notes(electricity: Rebased | None) -> tuple[Text, ...]:
    notes = []
    if electricity is not None:
        notes.append(
            Text(
                f"电力改用碳足迹因子 {electricity.factor_id} = {electricity.factor_kgco2e_per_kwh:g} kgCO2e/kWh(生命周期, 含上游和线损)重算: "
                f"外购 {electricity.kwh:,.0f} kWh 由清单(基于位置)的 {electricity.booked_gco2e / 1e6:,.1f} t 变为 {electricity.rebased_gco2e / 1e6:,.1f} t; "
                f"自发自用 {electricity.on_site_kwh:,.0f} kWh 计 {electricity.on_site_gco2e / 1e6:,.1f} t。清单数值不变。",
                f"Electricity is counted again with the footprint factor {electricity.factor_id} = {electricity.factor_kgco2e_per_kwh:g} kgCO2e/kWh (life cycle, upstream and losses in it): "
                f"{electricity.kwh:,.0f} kWh bought become {electricity.rebased_gco2e / 1e6:,.1f} t instead of {electricity.booked_gco2e / 1e6:,.1f} t in the inventory (location-based); "
                f"{electricity.on_site_kwh:,.0f} kWh made on site count {electricity.on_site_gco2e / 1e6:,.1f} t. The inventory stays as it is.",
            )
        )
    return (*notes, *product_rules().left_out)


def _lacking(name: str, stock: Stock, quantity: float) -> list[Problem]:
    problems = []
    if name not in {product.id for product in stock.plant.products}:
        choices = tuple(product.id for product in stock.plant.products)
        return [NotFound(Text("产品", "product"), name, choices).as_problem()]
    if name not in stock.profiles:
        problems.append(_no_profile(name, f"products/{name}.toml"))
    if name not in stock.bills:
        problems.append(_no_profile(name, f"products/{name}.csv"))
    if quantity <= 0:
        message = Text(f"产品“{name}”期内没有产量。", f"Product '{name}' was not made in the period.")
        problems.append(Problem("footprint.not_made", message, Text("请换一个期间。", "Choose another period.")))
    return problems


def _no_profile(name: str, what: str) -> Problem:
    return Problem(
        "footprint.no_profile",
        Text(f"产品“{name}”缺少 {what}。", f"Product '{name}' lacks {what}."),
        Text("请在工作区的 products/ 文件夹补上。", "Add it in the folder products/ of the workspace."),
    )


def _unknown_product(item: str | None, choices: Sequence[str]) -> Problem:
    listed = ", ".join(choices) or "-"
    return Problem(
        "footprint.unknown_product",
        Text(
            f"产量凭证的品种“{item or ''}”不是产品编号。",
            f"The item '{item or ''}' of a production document is no product.",
        ),
        Text(f"可选: {listed}。", f"Choose one of: {listed}."),
    )


def _product_cycle(ring: Sequence[str]) -> Problem:
    shown = " → ".join(ring)
    return Problem(
        "bill.cycle",
        Text(f"本厂产品互相含有: {shown}。", f"Own products hold each other: {shown}."),
        Text("请改正其中一个物料清单。", "Mend one of the bills of materials."),
    )
