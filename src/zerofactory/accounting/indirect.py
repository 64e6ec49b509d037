"""Indirect emissions: the hybrid order of methods that purchases share, and the flows made of CO2e factors.

Order: supplier's own footprint → mass × average → spend (GHG Protocol Scope 3 Standard, 7.2; standards, 5). What the document
gives decides, never a preference in the dark: a supplier's footprint, else a mass, else an amount of money. The method is
written on the record.
"""

from __future__ import annotations

from collections.abc import Sequence

from zerofactory import units
from zerofactory.accounting import supplier_footprint
from zerofactory.accounting.catalogue import Entry, catalogue, look_up
from zerofactory.accounting.source import Ask, Flow, detail_number, detail_text, fault
from zerofactory.accounting.terms import per_unit, stated
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.factors.model import Found
from zerofactory.factors.resolve import find

DATABASE, SPEND = "ef.material.db", "ef.spend"
MONEY = ("money", "money_usd")
RATE = Text("汇率(1美元兑人民币, 消费年均值)", "exchange rate (yuan per US dollar, mean of the year of spending)")
PRICES = Text("价格换算(因子价格年/消费年)", "price level (year of the factor over year of spending)")
SPEND_DETAILS = (
    detail_number("cny_per_usd", RATE, "CNY/USD"),
    detail_number("price_ratio", PRICES, "fraction"),
)
RECYCLED = Text("再生料比例", "recycled share")
GOODS_DETAILS = (
    detail_text("route", "工艺路线", "production route"),
    detail_number("recycled_fraction", RECYCLED, "fraction", 1.0),
    *SPEND_DETAILS,
    *supplier_footprint.DETAILS,
)


def indirect_flow(ask: Ask, terms: Sequence[Found], method: str, uncertainty: str | None = None) -> Flow:
    """Return a flow of CO2, or of CO2e where a factor is in CO2e, from factors whose units make a mass per activity unit."""
    gases = {term.factor.gas for term in terms if term.factor.gas}
    gas = "CO2" if gases == {"CO2"} else "CO2e"
    return Flow(gas, per_unit(terms, gas, ask.unit), method, uncertainty=uncertainty)


def goods_flows(ask: Ask, table: str) -> tuple[Flow, ...]:
    """Return the flows of something bought, by the best method its document allows.

    Raises
    ------
    FaultyData, Unresolved
        What is missing for the method that the document points to.
    """
    if supplier_footprint.is_given(ask):
        factor = supplier_footprint.supplier_factor(ask)
        return (indirect_flow(ask, [factor], supplier_footprint.METHOD, supplier_footprint.UNCERTAINTY),)
    dimension = units.parse(ask.unit).dimension
    if dimension in MONEY:
        return (spend_flow(ask, spend_item(table, ask)),)
    entry = look_up(table, ask)
    if dimension != "mass" or not entry.factor:
        raise FaultyData([_no_mass_factor(ask, entry)])
    return _mass(ask, entry)


def _mass(ask: Ask, entry: Entry) -> tuple[Flow, ...]:
    """Return primary and recycled parts: EF = r × EF_recycled + (1 − r) × EF_primary (standards, 5)."""
    method = "mass × average factor"
    if not ask.has("recycled_fraction"):
        factor = find(ask.book, "material", ask.scope, item=entry.factor)
        return (indirect_flow(ask, [_with_band(ask, factor)], method, DATABASE),)
    if not entry.more["recycled_factor"]:
        raise FaultyData([_no_recycled(ask)])
    recycled = ask.number("recycled_fraction", 0.0, 1.0)
    parts = (
        ("primary_fraction", 1.0 - recycled, Text("原生料比例", "primary share"), entry.factor),
        ("recycled_fraction", recycled, RECYCLED, entry.more["recycled_factor"]),
    )
    flows = []
    for name, share, title, item in parts:
        if share > 0.0:
            factor = _with_band(ask, find(ask.book, "material", ask.scope, item=item))
            terms = [stated(name, share, "fraction", title), factor]
            flows.append(indirect_flow(ask, terms, f"{method}, r × EF_rec + (1 − r) × EF_prim", DATABASE))
    return tuple(flows)


BAND = ("deck.steel.eaf", "deck.steel.bf_bof")


def _with_band(ask: Ask, found: Found) -> Found:
    """Return a steel factor with the band of the starting document said beside it (0.5 to 2.1 tCO2/t at 596 g/kWh)."""
    if ask.item != "steel":
        return found
    low, high = (ask.book.factor(name) for name in BAND)
    said = Text(
        f"对照: 起步文件给出电炉 {low.value_text}、高炉转炉 {high.value_text} {high.unit}(电力 596 g/kWh)。",
        f"Beside it: the field's starting document gives {low.value_text} (electric furnace) to {high.value_text} "
        f"{high.unit} (blast furnace), at 596 g/kWh.",
    )
    return Found(found.factor, Text(found.reason.zh + said.zh, f"{found.reason.en} {said.en}"), found.power)


def spend_item(table: str, ask: Ask) -> str:
    """Return the sector that stands for an item bought; money does not tell the route, so none is asked for."""
    return next((entry.more["spend_factor"] for entry in catalogue(table) if entry.item == ask.item), "")


def spend_flow(ask: Ask, item: str) -> Flow:
    """Return the spend-based flow: money → US dollars at the plant's rate → prices of the factor's year → CO2e.

    The rate is never guessed. Without a price ratio nothing is corrected, which the reason says.
    """
    if not item:
        raise FaultyData([_no_spend_factor(ask)])
    factor = find(ask.book, "spend", ask.scope, item=item)
    terms: list[Found] = []
    if units.parse(ask.unit).dimension == "money":
        if not ask.has("cny_per_usd"):
            raise FaultyData([_no_rate()])
        terms.append(ask.stated("cny_per_usd", "CNY/USD", RATE, 1e-9).inverse())
    year = factor.factor.extra.get("price_year", "?")
    said = Text(f"因子按 {year} 年美元。", f"The factor is per US dollar of {year}.")
    if ask.has("price_ratio"):
        terms.append(ask.stated("price_ratio", "fraction", PRICES, 1e-9))
    else:
        said = Text(f"{said.zh}未作价格年换算。", f"{said.en} Prices are not brought to that year.")
    reason = Text(factor.reason.zh + said.zh, f"{factor.reason.en} {said.en}")
    return indirect_flow(ask, [*terms, Found(factor.factor, reason)], "spend × EEIO factor", SPEND)


def _no_rate() -> Problem:
    return fault(
        "no_exchange_rate",
        Text("按金额核算须由企业给出汇率。", "A spend-based figure needs the exchange rate from the plant."),
        Text(
            "请填 cny_per_usd(消费年均值, 1美元兑多少元)。", "State cny_per_usd (yuan per US dollar, mean of the year)."
        ),
        column="cny_per_usd",
    )


def _no_spend_factor(ask: Ask) -> Problem:
    return fault(
        "no_spend_factor",
        Text(f"品种“{ask.item}”没有金额法因子。", f"There is no spend-based factor for '{ask.item}'."),
        Text("请按质量登记, 或填供应商碳足迹。", "Book its mass, or the supplier's footprint."),
        column="unit",
    )


def _no_mass_factor(ask: Ask, entry: Entry) -> Problem:
    return fault(
        "no_mass_factor",
        Text(
            f"“{entry.title.zh}”没有按“{ask.unit}”的平均因子。",
            f"'{entry.title.en}' has no average factor per '{ask.unit}'.",
        ),
        Text("请按金额登记, 或填供应商碳足迹。", "Book the spend, or the supplier's footprint."),
        column="unit",
    )


def _no_recycled(ask: Ask) -> Problem:
    return fault(
        "no_recycled_factor",
        Text(f"品种“{ask.item}”没有再生料因子。", f"There is no factor for recycled '{ask.item}'."),
        Text(
            "请清空 recycled_fraction, 或填供应商碳足迹。", "Empty recycled_fraction, or give the supplier's footprint."
        ),
        column="recycled_fraction",
    )
