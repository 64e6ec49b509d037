"""The stages of a product's footprint, line by line: materials, manufacturing, use, end of life.

Each function returns lines per unit of the product and the problems met on the way; a figure that cannot be had is a problem,
never a silent zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from zerofactory import units
from zerofactory.accounting.allocation import METHODS, Method, Share, Target
from zerofactory.accounting.bill_of_materials import OWN_PRODUCT, Bill, Need, needs
from zerofactory.accounting.declared_footprint import DeclaredFootprint, WrongUnit, amounts_of, faults_of
from zerofactory.accounting.footprint import CutOff, Footprint, Line, Parts
from zerofactory.accounting.product_pools import Pools
from zerofactory.accounting.product_profile import Profile
from zerofactory.accounting.product_rules import own_rating, product_rules, rating_of
from zerofactory.accounting.upstream import fuel_upstream
from zerofactory.errors import Problem, Text
from zerofactory.factors.model import FactorBook, Found, Unresolved
from zerofactory.factors.resolve import Scope, combine, find, fuel_co2, fuel_gas, gwp

NAMED = "物料清单或产品档案按编号指名。Named by its id in the bill or the profile."


@dataclass(frozen=True, slots=True)
class Materials:
    """What the lines of materials are made from: factors, suppliers' footprints, own products done before."""

    book: FactorBook
    scope: Scope
    used_on: datetime
    suppliers: Mapping[str, DeclaredFootprint]
    own: Mapping[str, Footprint]


def material_lines(bill: Bill, mass_kg: float, ground: Materials) -> tuple[list[Line], list[CutOff], list[Problem]]:
    """Return one line for each part of the bill, what was cut off, and every fault with its row."""
    lines: list[Line] = []
    cut_offs: list[CutOff] = []
    problems: list[Problem] = []
    for need in needs(bill):
        part = need.part
        try:
            if part.cut_off:
                cut_offs.append(_cut_off(need, mass_kg))
            elif part.supplier_footprint.startswith(OWN_PRODUCT):
                lines.append(_own(need, ground))
            elif part.supplier_footprint:
                lines.append(_supplied(need, ground, problems, bill.file))
            else:
                lines.append(_average(need, ground))
        except (Unresolved, WrongUnit, _Missing) as fault:
            problems.append(fault.problem.at(file=bill.file, row=part.row))
        except units.WrongDimension as fault:
            problems.append(fault.as_problem().at(file=bill.file, row=part.row))
    return lines, cut_offs, problems + _too_much(cut_offs, bill)


class _Missing(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.sentence("en"))


def _title(need: Need) -> Text:
    name = need.part.name or need.part.part
    return Text(name, name if name.isascii() else f"{need.part.part} {name}")


def _cut_off(need: Need, mass_kg: float) -> CutOff:
    mass = need.mass_kg
    return CutOff(_title(need), mass / mass_kg if mass is not None and mass_kg else None, need.part.note)


def _too_much(cut_offs: Sequence[CutOff], bill: Bill) -> list[Problem]:
    rules = product_rules()
    shares = [entry.mass_fraction or 0.0 for entry in cut_offs]
    if sum(shares) <= rules.cut_off_total_fraction and all(s <= rules.cut_off_single_fraction for s in shares):
        return []
    one, whole = 100 * rules.cut_off_single_fraction, 100 * rules.cut_off_total_fraction
    message = Text(
        f"取舍的质量占 {100 * sum(shares):.1f} %, 规则为单项不超过 {one:g} %、合计不超过 {whole:g} %。",
        f"{100 * sum(shares):.1f} % of the mass is cut off; the rule is {one:g} % for one part and {whole:g} % in all.",
    )
    hint = Text("请为较重的零部件补充数据。", "Find data for the heavier parts.")
    return [Problem("footprint.cut_off", message, hint, file=bill.file, severity="warning")]


def _own(need: Need, ground: Materials) -> Line:
    name = need.part.supplier_footprint.removeprefix(OWN_PRODUCT)
    made = ground.own[name]
    amount = units.convert(need.quantity, need.part.unit, made.unit) if need.part.unit != made.unit else need.quantity
    rating = made.rating
    return Line(
        "raw_materials", "/".join(need.path), _title(need), made.of(("raw_materials", "manufacturing")).times(amount),
        made.primary_fraction, rating[0] if rating else None, need.part.supplier_footprint,
        Text(f"本厂产品 {name} 的摇篮到大门碳足迹。", f"The plant's own product {name}, cradle to gate."),
        need.quantity, need.part.unit,
    )  # fmt: skip


def _supplied(need: Need, ground: Materials, problems: list[Problem], file: str) -> Line:
    declared = ground.suppliers.get(need.part.supplier_footprint)
    if declared is None:
        listed = ", ".join(list(ground.suppliers)[:8]) or "-"
        raise _Missing(
            Problem(
                "footprint.unknown_supplier",
                Text(
                    f"账簿里没有供应商碳足迹“{need.part.supplier_footprint}”。",
                    f"The book has no supplier's footprint '{need.part.supplier_footprint}'.",
                ),
                Text(
                    f"请先运行 zf footprint import; 已有: {listed}。",
                    f"Run zf footprint import first; there are: {listed}.",
                ),
            )
        )
    problems += [fault.at(file=file, row=need.part.row) for fault in faults_of(declared, ground.used_on)]
    amount = amounts_of(declared, need.quantity, need.part.unit)
    land, other = declared.land_use_kgco2e or 0.0, declared.biogenic_kgco2e or 0.0
    parts = Parts(
        fossil=declared.kgco2e - land - other, land_use=land, biogenic_other=other,
        aviation=declared.aviation_kgco2e or 0.0, biogenic_uptake=declared.uptake_kgco2e or 0.0,
    )  # fmt: skip
    return Line(
        "raw_materials", "/".join(need.path), _title(need), parts.times(amount), declared.primary_fraction or 0.0,
        declared.rating, declared.footprint_id,
        Text(
            f"{declared.company_name} 的产品碳足迹, 有效至 {declared.valid_to:%Y-%m-%d}。",
            f"Declared by {declared.company_name}, valid until {declared.valid_to:%Y-%m-%d}.",
        ),
        need.quantity, need.part.unit,
    )  # fmt: skip


def _average(need: Need, ground: Materials) -> Line:
    """EF = r × EF_recycled + (1 − r) × EF_primary (standards, 5)."""
    part = need.part
    found = [(1.0 - part.recycled_fraction, named(ground.book, "material", ground.scope, part.item))]
    if part.recycled_item:
        found.append((part.recycled_fraction, named(ground.book, "material", ground.scope, part.recycled_item)))
    kg = sum(share * need.quantity * _per(each, part.unit) for share, each in found)
    main = found[0][1] if part.recycled_fraction < 1 else found[-1][1]
    reasons = [each.reason for _, each in found]
    return Line(
        "raw_materials", "/".join(need.path), _title(need), Parts(fossil=kg), 0.0,
        rating_of(main.factor, ground.scope.region, ground.scope.on.year), "+".join(each.factor.id for _, each in found),
        Text(" ".join(r.zh for r in reasons), " ".join(r.en for r in reasons)), need.quantity, part.unit,
    )  # fmt: skip


def named(book: FactorBook, role: str, scope: Scope, item: str) -> Found:
    """Return the factor of an item by the rules of choosing, or the one whose very id was written.

    Naming a factor by its id is the way to use one from another country; the reason says that it was named.

    Raises
    ------
    Unresolved
        As `find`, or the named factor is for another role or not of this time.
    """
    factor = book.by_id.get(item)
    if factor is None:
        return find(book, role, scope, item=item)
    pinned = replace(scope, pins={f"{role}:{factor.item}": (item, NAMED)})
    return find(book, role, pinned, item=factor.item)


def _per(found: Found, unit: str) -> float:
    """Return kgCO2e per unit of the bill; raise `WrongDimension` when the factor counts something else."""
    parts = units.parse_factor_unit(found.factor.unit)
    if parts.denominator is not None:
        units.ratio(unit, parts.denominator.symbol)
    return combine([found], f"kg{parts.gas or 'CO2e'}/{unit}").value


def manufacturing_lines(
    target: Sequence[Target], quantity: float, shares: Sequence[Share], pools: Pools, titles: Mapping[str, Text]
) -> tuple[list[Line], dict[str, Method], int]:
    """Return the allocated lines of one product by stage and shop, the method of each shop, and the grams allocated."""
    wanted = set(target)
    own = [share for share in shares if share.target in wanted]
    grouped: dict[tuple[str, str], dict[str, int]] = {}
    guessed: dict[tuple[str, str], float] = {}
    methods: dict[str, Method] = {}
    for share in own:
        key = pools.keys[share.pool.key]
        place = (key.stage, share.pool.shop)
        sums = grouped.setdefault(place, {})
        sums[key.component] = sums.get(key.component, 0) + share.emissions_gco2e
        estimated = pools.estimated_fraction[share.pool.shop, share.pool.period, share.pool.key]
        guessed[place] = guessed.get(place, 0.0) + abs(share.emissions_gco2e) * estimated
        if methods.get(share.pool.shop) != "period":
            methods[share.pool.shop] = share.method
    lines = []
    for (stage, shop), sums in sorted(grouped.items()):
        size = sum(abs(grams) for grams in sums.values())
        estimated = min(1.0, guessed[stage, shop] / size) if size else 0.0
        kg = {name: grams / 1000.0 / quantity for name, grams in sums.items()}
        flown = kg.get("aviation", 0.0)
        parts = Parts(
            kg.get("fossil", 0.0) + flown, 0.0, kg.get("biogenic_other", 0.0), flown, kg.get("biogenic_co2", 0.0)
        )
        method = methods[shop]
        lines.append(
            Line(
                stage,
                shop,
                _place(stage, titles.get(shop, Text(shop, shop))),
                parts,
                1.0 - estimated,
                own_rating(estimated),
                method,
                METHODS[method],
            )
        )
    return lines, methods, sum(share.emissions_gco2e for share in own)


def _place(stage: str, shop: Text) -> Text:
    return shop if stage == "manufacturing" else Text(f"入厂运输({shop.zh})", f"inbound transport ({shop.en})")


def use_lines(profile: Profile, book: FactorBook, scope: Scope, gwp_set: str) -> list[Line]:
    """Return fuel and electricity over the life of one unit, each with its upstream.

    fuel         distance / 100 × L per 100 km × (CO2 + CH4 + N2O in CO2e + well to tank)
    electricity  distance / 100 × kWh per 100 km / (1 − charging loss) × electricity footprint factor, today's grid throughout

    Raises
    ------
    Unresolved
        A factor is missing or must be chosen.
    """
    use = profile.use
    if use is None:
        return []
    lines: list[Line] = []
    hundreds = use.distance_km / 100.0
    if use.fuel:
        lines += _fuel_lines(use.fuel, hundreds * use.fuel_l_per_100km, book, scope, gwp_set)
    if use.electricity_kwh_per_100km:
        grid = find(book, "grid.footprint", scope, item="electricity")
        kwh = hundreds * use.electricity_kwh_per_100km / (1.0 - use.charging_loss_fraction)
        reason = Text(
            f"{grid.reason.zh}按现时电网, 未计未来变化。",
            f"{grid.reason.en} Today's grid throughout, no future change assumed.",
        )
        parts = Parts(fossil=kwh * _per(grid, "kWh"))
        rating = rating_of(grid.factor, scope.region, scope.on.year)
        lines.append(
            Line("use", "electricity", Text("充电", "charging"), parts, 0.0, rating, grid.factor.id, reason, kwh, "kWh")
        )
    return lines


def _fuel_lines(fuel: str, litres: float, book: FactorBook, scope: Scope, gwp_set: str) -> list[Line]:
    burnt = fuel_co2(book, scope, fuel, "L")
    kg = burnt.value
    for gas in ("CH4", "N2O"):
        warming = gwp(book, gas, gwp_set, origin="fossil" if gas == "CH4" else None).value
        kg += fuel_gas(book, scope, fuel, "L", gas, "road").value * warming
    upstream = fuel_upstream(book, scope, fuel, "L")
    year = scope.on.year
    return [
        Line(
            "use", "fuel", Text("燃料燃烧", "fuel burnt"), Parts(fossil=litres * kg), 0.0,
            rating_of(burnt.factors[0], scope.region, year), burnt.id, burnt.reason, litres, "L",
        ),
        Line(
            "use", "fuel_upstream", Text("燃料上游", "fuel, well to tank"), Parts(fossil=litres * upstream.value), 0.0,
            rating_of(upstream.factors[-1], scope.region, year), upstream.id, upstream.reason, litres, "L",
        ),
    ]  # fmt: skip


def end_of_life_lines(profile: Profile, book: FactorBook, scope: Scope) -> list[Line]:
    """Return mass × waste treatment of each route, and the fossil carbon burnt × oxidised share × 44/12.

    Rows of recycling and energy recovery hold collection and sorting only, so what is burnt is stated and counted here; recycled
    material earns no credit.

    Raises
    ------
    Unresolved
        A factor is missing or must be chosen.
    """
    lines = []
    year = scope.on.year
    for route in profile.end_of_life:
        found = named(book, "waste", scope, route.item)
        lines.append(
            Line(
                "end_of_life", route.item, found.factor.title, Parts(fossil=route.mass_kg * _per(found, "kg")), 0.0,
                rating_of(found.factor, scope.region, year), found.factor.id, found.reason, route.mass_kg, "kg",
            )
        )  # fmt: skip
        if route.fossil_carbon_burnt_kg:
            oxidised = find(book, "incineration.of", scope, item="waste")
            share = combine([oxidised], "fraction").value
            lines.append(
                Line(
                    "end_of_life", f"{route.item}.burnt", Text("焚烧的化石碳", "fossil carbon burnt"),
                    Parts(fossil=route.fossil_carbon_burnt_kg * share * 44 / 12), 0.0,
                    rating_of(oxidised.factor, scope.region, year), oxidised.factor.id, oxidised.reason,
                    route.fossil_carbon_burnt_kg, "kg",
                )
            )  # fmt: skip
    return lines
