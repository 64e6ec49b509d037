"""Capture: the net amount of CO2 caught and passed on, energy and losses taken off.

    net = captured − losses(transport, injection) − E(capture, compression, transport)         (standards, 11; ISO 14064-1:2018, 3.1.3)

The flows are signed, so that a record stands for each term. What the net amount means is the source's: a removal when the carbon is
biogenic or from air and the storage lasts, a reduction shown apart when it is fossil, a delay when it is used in short-lived goods.
None of them lowers a total: the stack is counted gross, and the energy stands in its own category as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from zerofactory.accounting.source import Ask, Example, Flow, detail_number, detail_text
from zerofactory.accounting.terms import identity, per_unit
from zerofactory.errors import Text
from zerofactory.factors.resolve import find

LOSSES = Text("运输与注入损失比例", "share lost in transport and injection")
ELECTRICITY = Text("捕集压缩电耗", "electricity of capture and compression")
HEAT = Text("捕集热耗", "heat of capture")
OTHER = Text("其他能耗排放(含运输)", "other emissions of energy, transport included")
STORAGE = ("geological", "mineralised")
DETAILS = (
    detail_number("lost_fraction", LOSSES, "fraction", 1.0, required=True),
    detail_number("electricity_intensity", ELECTRICITY, "kWh/t", required=True),
    detail_number("heat_intensity", HEAT, "GJ/t"),
    detail_number("other_intensity", OTHER, "kgCO2/t"),
)
STORED = detail_text("storage", "封存方式", "kind of storage", STORAGE, required=True)
MONITORED = detail_text(
    "monitoring", "监测记录(合同、封存证明)", "monitoring record (storage certificate)", required=True
)
CAUGHT = Text("捕集量按计量。", "The amount caught is metered.")
ACTIVITY: Mapping[str, str] = MappingProxyType(
    {"metered": "ad.scale.belt", "invoiced": "ad.invoice", "estimated": "ad.estimate"}
)


def net_flows(ask: Ask) -> tuple[Flow, ...]:
    """Return CO2 caught (positive), lost and emitted by its energy (negative), per mass caught."""
    caught = identity(CAUGHT)
    flows = [Flow("CO2", per_unit([caught], "CO2", ask.unit), "captured")]
    if ask.number("lost_fraction", 0.0, 1.0):
        lost = ask.stated("lost_fraction", "fraction", LOSSES, 0.0, 1.0)
        flows.append(Flow("CO2", per_unit([caught, lost], "CO2", ask.unit, -1.0), "-losses"))
    return (*flows, *_energy(ask))


def _energy(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of the energy of capture, electricity under both views."""
    flows = []
    if ask.number("electricity_intensity"):
        used = ask.stated("electricity_intensity", "kWh/t", ELECTRICITY)
        average = find(ask.book, "grid.average", ask.scope, item="electricity")
        residual = find(ask.book, "grid.residual", ask.scope, item="electricity")
        flows += [
            Flow("CO2", per_unit([used, average], "CO2", ask.unit, -1.0), "-energy", "location", uncertainty="ef.grid.cn"),
            Flow("CO2", per_unit([used, residual], "CO2", ask.unit, -1.0), "-energy", "market_annual", uncertainty="ef.grid.cn"),
        ]  # fmt: skip
    if ask.has("heat_intensity"):
        heat = [ask.stated("heat_intensity", "GJ/t", HEAT), find(ask.book, "heat.default", ask.scope)]
        flows.append(Flow("CO2", per_unit(heat, "CO2", ask.unit, -1.0), "-energy", uncertainty="ef.heat.default"))
    if ask.has("other_intensity"):
        other = ask.stated("other_intensity", "kgCO2/t", OTHER)
        flows.append(Flow("CO2", per_unit([other], "CO2", ask.unit, -1.0), "-energy"))
    return tuple(flows)


def worked(text: Text, item: str | None, detail: Mapping[str, str | float]) -> Example:
    """Return the worked example of the three kinds of use: 1 000 t caught, 2 % lost, 350 kWh/t from the Shanghai grid."""
    return Example(
        text=text,
        item=item,
        quantity=1000.0,
        unit="t",
        detail={"lost_fraction": 0.02, "electricity_intensity": 350.0, **detail},
        expected_kg={
            "CO2": 1_000_000.0 * (1 - 0.02),
            "CO2|location": -350_000.0 * 0.5737,
            "CO2|market_annual": -350_000.0 * 0.6096,
        },
        citation="net = captured − losses − energy (standards 11); 公告2025年第47号: 上海 0.5737, 不含市场化非化石 0.6096",
    )
