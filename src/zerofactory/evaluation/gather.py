"""Gather: the facts of a period from its book. Every amount keeps the parts it hangs on, so that ratios know what they share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from zerofactory import units
from zerofactory.accounting.circularity import circularity
from zerofactory.accounting.electricity import split_by_contract
from zerofactory.accounting.energy import ELECTRIC, SIGNS, energy_consumption
from zerofactory.accounting.inventory import counted, fold, knowledge_of
from zerofactory.accounting.spread import Knowledge, Part, amount_part, spread_of, stakes_by_group
from zerofactory.evaluation.amount import PLANT, Amount, Facts, scaled, total
from zerofactory.evaluation.book import Book, details_of
from zerofactory.evaluation.freight import freight
from zerofactory.evaluation.holding import holdings
from zerofactory.standards.load import standard

ISO, CHINA = "iso_14064_1_2018", "cn_machinery_2015"
GRAMS_PER_TONNE = 1_000_000.0
YEAR_LABEL = 4
FUNCTIONS = tuple(f"{number:02d}" for number in range(1, 14))
Parts = dict[str, Part]


def facts_of(book: Book) -> Facts:
    """Return the facts of a book; what it does not hold is absent."""
    parts: Parts = {}
    emissions = _emissions(book, parts)
    amounts = {
        **emissions,
        **_output(book, parts),
        **_energy(book, parts),
        **_material(book, parts),
        **freight(book),
        **_agreed(book, emissions[f"emissions@{PLANT}"]),
        **{f"holds@{name}": Amount(float(held)) for name, held in holdings(book).items()},
        **{
            f"function@{number}": Amount(float(number in book.functions))
            for number in FUNCTIONS
            if number in book.functions
        },
    }
    return Facts(book.period, amounts, parts, frozenset(shop.kind for shop in book.plant.shops))


def _kinds(book: Book) -> dict[str, str]:
    """Return the kind of every shop by its id."""
    return {shop.id: shop.kind for shop in book.plant.shops}


@dataclass(frozen=True, slots=True)
class _Cells:
    """Sums of records by scope and kind of shop, each with its stakes."""

    amounts: Mapping[tuple[str, str], Amount]

    def of(self, scopes: Iterable[str], shop: str = "") -> Amount:
        """Return the sum of some scopes, of one kind of shop or of all."""
        wanted = set(scopes)
        return total(amount for (scope, kind), amount in self.amounts.items() if scope in wanted and shop in ("", kind))


def _cells(chosen: pl.DataFrame, kinds: Mapping[str, str], known: Knowledge, parts: Parts) -> _Cells:
    """Return the cells of counted records (see `inventory.counted`); ``parts`` takes what they hang on."""
    shop = pl.col("shop").replace_strict(dict(kinds), default="other", return_dtype=pl.String)
    named = chosen.with_columns((pl.col("scope").cast(pl.String) + "|" + shop).alias("cell"))
    spread = spread_of(named, "cell", known)
    found, stakes = stakes_by_group(spread)
    parts.update(found)
    sums = dict(named.group_by("cell").agg(pl.col("signed").sum()).iter_rows())
    made = {}
    for cell, grams in sums.items():
        scope, kind = cell.split("|")
        own = {key: half / GRAMS_PER_TONNE for key, half in stakes[cell].items()}
        made[scope, kind] = Amount(grams / GRAMS_PER_TONNE, own)
    return _Cells(made)


def _emissions(book: Book, parts: Parts) -> dict[str, Amount]:
    kinds, known = _kinds(book), knowledge_of(book.plant)
    iso = standard(ISO)
    located = counted(book.records, iso, "location")
    here = _cells(located, kinds, known, parts)
    there = _cells(counted(book.records, iso, "market_annual"), kinds, known, parts)
    chinese = counted(book.records, standard(CHINA), "location").filter(pl.col("gas") == "CO2")
    china = _cells(chinese, kinds, known, parts)
    bought = _cells(chinese.filter(pl.col("source_kind") == "purchased_electricity"), kinds, known, parts)
    one, two, three = here.of("1"), here.of("2"), here.of("3")
    both = here.of("12")
    found = {
        "emissions_scope1": _linked(one, "1", book.period),
        "emissions_scope2": _linked(two, "2", book.period),
        "emissions_scope2_market": _linked(there.of("2"), "2", book.period),
        "emissions_scope3": _linked(three, "3", book.period),
        f"emissions@{PLANT}": _linked(both, "1", book.period, "2"),
        "co2@location": _linked(china.of("0123"), "1", book.period, "2"),
        "footprint@12": both,
        "footprint@12_market": there.of("12"),
        "footprint@123": here.of("123"),
    }
    power = bought.of("0123")
    if book.programme_gco2e is not None and power.value:
        ratio = book.programme_gco2e / GRAMS_PER_TONNE / power.value
        programme = total([china.of("0123"), scaled(power, ratio - 1.0)])
        found["co2@programme"] = _linked(programme, "1", book.period, "2")
    for shop in book.plant.shops:
        found[f"emissions@{shop.kind}"] = _linked(here.of("12", shop.kind), shop.id, book.period)
    whole = one.value + two.value + three.value
    if whole > 0:
        found["scope3_share"] = Amount(three.value / whole)
    return found | _quality(book, located, known)


def _linked(amount: Amount, name: str, period: str, *more: str) -> Amount:
    """Return the amount with what `zf explain` opens for it: a category or a shop of the period."""
    links = {"1": "1.1", "2": "2.1", "3": "4.1"}
    opened = tuple(f"{links.get(one, one)}@{period}" for one in (name, *more))
    return Amount(amount.value, amount.stakes, opened)


def _quality(book: Book, located: pl.DataFrame, known: Knowledge) -> dict[str, Amount]:
    inside = located.filter(pl.col("scope").is_in([1, 2]))
    sizes = inside["signed"].abs()
    whole = int(sizes.sum())
    removed = fold(book.records, standard(ISO), "location", "scope").apart_gco2e
    stored = book.records.filter(pl.col("source_kind").is_in(["co2_capture", "fossil_co2_storage"]))
    found = {
        "removals": Amount(abs(removed["removals"]) / GRAMS_PER_TONNE),
        "ccus_stored": Amount(abs(int(stored["emissions_gco2e"].sum())) / GRAMS_PER_TONNE),
    }
    if whole:
        found["estimated"] = Amount(float((sizes * inside["estimated_fraction"]).sum()) / whole)
        spread = spread_of(inside, None, known)
        _, stakes = stakes_by_group(spread)
        half = math.hypot(*(value for group in stakes.values() for value in group.values()))
        found["uncertainty"] = Amount(half / abs(spread.total_g))
    return found


def _summed(rows: Sequence[Mapping[str, object]], unit: str, known: Knowledge, parts: Parts) -> Amount:
    """Return the sum of activities in one unit, each hanging on its meter or document; other dimensions are passed over."""
    dimension = units.parse(unit).dimension
    stakes: dict[str, float] = {}
    values, links = [], []
    for row in rows:
        given = str(row["unit"])
        if units.parse(given).dimension != dimension:
            continue
        value = units.convert(float(str(row["quantity"])), given, unit)
        part = amount_part(row, known)
        if part.half_width_fraction:
            parts.setdefault(part.key, part)
            stakes[part.key] = stakes.get(part.key, 0.0) + value * part.half_width_fraction
        values.append(value)
        links.append(f"{row['source_id']}@{str(row['period'])[:YEAR_LABEL]}")
    return Amount(math.fsum(values), stakes, tuple(dict.fromkeys(links))[:3])


def _rows(book: Book, *kinds: str) -> list[dict[str, object]]:
    return book.activities.filter(pl.col("source_kind").is_in(kinds)).sort("activity_id").to_dicts()


def _output(book: Book, parts: Parts) -> dict[str, Amount]:
    known = knowledge_of(book.plant)
    made = _rows(book, "production_output")
    earned = _rows(book, "economic_output")
    found = {
        "vehicles": _summed(made, "vehicle", known, parts),
        "output_value": _summed([row for row in earned if row["item"] == "output_value"], "万元", known, parts),
        "value_added": _summed([row for row in earned if row["item"] == "value_added"], "万元", known, parts),
    }
    return {name: amount for name, amount in found.items() if amount.value > 0}


def _energy(book: Book, parts: Parts) -> dict[str, Amount]:
    """Return energy in tce by shop, and electricity by where it is from."""
    known, kinds = knowledge_of(book.plant), _kinds(book)
    items = {use.id: use.item for use in book.plant.sources}
    lines = energy_consumption(book.activities, book.plant, book.factor_book).lines
    ratios = {(x.source_kind, x.item, x.unit): x.energy_tce / x.quantity for x in lines if x.quantity}
    by_shop: dict[str, list[Amount]] = {}
    for row in _rows(book, *SIGNS):
        kind, unit = str(row["source_kind"]), units.parse(str(row["unit"])).symbol
        item = "electricity" if kind in ELECTRIC else str(row["item"] or items.get(str(row["source_id"])))
        ratio = ratios.get((kind, item, str(row["unit"])), ratios.get((kind, item, unit)))
        if ratio is not None:
            one = scaled(_summed([row], unit, known, parts), ratio)
            by_shop.setdefault(kinds.get(str(row["shop"]), "other"), []).append(one)
    found = {f"energy@{shop}": total(amounts) for shop, amounts in by_shop.items()}
    if found:
        found[f"energy@{PLANT}"] = total(found.values())
    tce = next(
        (
            x.energy_tce / units.convert(x.quantity, x.unit, "kWh")
            for x in lines
            if x.source_kind in ELECTRIC and x.quantity
        ),
        None,
    )
    return found | _power(book, parts, known) | ({"tce_per_kwh": Amount(abs(tce))} if tce else {})


def _power(book: Book, parts: Parts, known: Knowledge) -> dict[str, Amount]:
    bought = _summed(_rows(book, "purchased_electricity"), "kWh", known, parts)
    own = _rows(book, "on_site_renewable")
    kept = _summed(
        [row for row in own if details_of(book.plant, row).get("certificates_sold") != "yes"], "kWh", known, parts
    )
    made = _summed(own, "kWh", known, parts)
    metered = {use.id for use in book.plant.sources if use.kind == "green_power_contract" and use.meters}
    lines = _summed([r for r in _rows(book, "green_power_contract") if r["source_id"] in metered], "kWh", known, parts)
    used = total([bought, made, lines])
    if not used.value:
        return {}
    parts_wh = split_by_contract(book.activities, book.plant).parts.drop_nulls("instrument")
    direct_wh = int(parts_wh.filter(pl.col("instrument") == "direct_line")["energy_wh"].sum())
    covered_wh = int(parts_wh["energy_wh"].sum()) if book.covered_wh is None else book.covered_wh
    contract_wh = max(0, covered_wh - direct_wh)
    found = {
        "electricity": used,
        "onsite_electricity": kept,
        "direct_electricity": total([lines, Amount(direct_wh / 1000.0)]),
        "contract_electricity": Amount(contract_wh / 1000.0, {}, ("green_power_contract",) if contract_wh else ()),
    }
    if book.matched_wh is not None:
        found["matched_electricity"] = Amount(book.matched_wh / 1000.0)
    return found


def _material(book: Book, parts: Parts) -> dict[str, Amount]:
    known = knowledge_of(book.plant)
    scrap = _rows(book, "metal_scrap")
    kept = [row for row in scrap if str(details_of(book.plant, row).get("scrap_fate")) == "recovered"]
    waste = [row for row in _rows(book, "waste_by_route") if row["item"] == "waste_water"]
    found = {
        "material_input": _summed(_rows(book, "material_input"), "t", known, parts),
        "material_output": _summed(_rows(book, "material_output"), "t", known, parts),
        "scrap": _summed(scrap, "t", known, parts),
        "scrap_recovered": _summed(kept, "t", known, parts),
        "water_intake": _summed(_rows(book, "water_intake"), "m3", known, parts),
        "water_reused": _summed(_rows(book, "water_reuse"), "m3", known, parts),
        "waste_water_discharged": _summed(waste, "m3", known, parts),
    }
    solid = next(one for one in circularity(book.activities) if one.key == "solid_waste_recovery" and not one.shop)
    if solid.whole:
        found["solid_waste"] = Amount(solid.whole / 1000.0)
        found["solid_waste_recovered"] = Amount(solid.part / 1000.0)
    return {name: amount for name, amount in found.items() if amount.links or amount.value}


def _agreed(book: Book, emitted: Amount) -> dict[str, Amount]:
    """Return what is counted or agreed about the period: calendar, meters, base year, verification, products, credits.

    Other years are taken as they were fixed, without uncertainty; a base year that is the period itself hangs on the same parts.
    """
    points = [meter for meter in book.plant.meters if meter.kind != "virtual"]
    by_hand = [use for use in book.plant.sources if use.kind in SIGNS and not use.meters]
    found = {
        "months_closed": Amount(float(book.months_closed)),
        "months_wanted": Amount(float(book.months_wanted)),
        "year": Amount(float(book.year)),
        "verification": Amount(float(book.verification)),
    }
    if points or by_hand:
        found["meters"] = Amount(float(len(points) + len(by_hand)))
        found["meters_automatic"] = Amount(float(sum(meter.automatic for meter in points)))
    if book.significance is not None:
        shares = [x.share_fraction for x in book.significance.lines if not x.quantified]
        found["coverage"] = Amount(book.significance.included_fraction)
        found["largest_exclusion"] = Amount(max(shares, default=0.0))
    for name, year in (("base", book.base), ("previous", book.previous)):
        if year is not None:
            found[f"{name}_emissions"] = Amount(year.emissions_gco2e / GRAMS_PER_TONNE)
            if year.vehicles:
                found[f"{name}_vehicles"] = Amount(year.vehicles)
    if book.base is not None:
        found["base_year"] = Amount(float(book.base.year))
        if book.base.year == book.year and emitted.value:
            found["base_emissions"] = scaled(emitted, found["base_emissions"].value / emitted.value)
    if book.plant.products:
        found["products"] = Amount(float(len(book.plant.products)))
    if book.products_footprint is not None:
        found["products_footprint"] = Amount(float(book.products_footprint))
    if book.credits is not None:
        found["credits_retired"], found["credit_age_years"] = Amount(book.credits[0]), Amount(book.credits[1])
    return found
