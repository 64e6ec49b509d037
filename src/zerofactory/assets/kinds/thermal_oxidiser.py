"""Regenerative thermal oxidiser: fuel while coating runs, hold or restart between shifts (see `hold`); fans while it is on."""

from __future__ import annotations

from zerofactory.assets import hold
from zerofactory.assets.asset import Asset, Conditions, Example, Input, Values
from zerofactory.assets.block import AssetBlock
from zerofactory.errors import Text


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part."""
    return hold.block("thermal_oxidiser", values, conditions)


ASSET = Asset(
    id="thermal_oxidiser",
    title=Text("蓄热式焚烧装置(RTO)", "regenerative thermal oxidiser"),
    actions=("on",),
    states=("on", "start_1"),
    start=lambda values: {"on": 1.0, "start_1": 0.0},
    step=hold.step,
    block=block,
    profile=hold.profile,
    check=hold.check,
    inputs=(Input("operating_fraction", "1", Text("生产占比(0–1)", "share of the interval in production")),),
    reference="US EPA Air Pollution Control Cost Manual, section 3.2, chapter 2 (Incinerators and Oxidizers, 2017): fuel from the heat balance, 95 % heat recovery; HJ 1093-2020 蓄热燃烧法工业有机废气治理工程技术规范",
    example=Example(
        text=Text("停产时保温 1 小时", "held hot for an hour without production"),
        given={
            "burner_kw": 4200.0,
            "running_kw": 3000.0,
            "hold_kw": 800.0,
            "restart_kwh": 4000.0,
            "warm_up_hours": 2.0,
        },
        state={"on": 1.0},
        action={"on": 1.0},
        series={"needed": 0.0, "operating_fraction": 0.0},
        expected={"on": 1.0, "start": 0.0, "fuel_kw": 800.0},
        citation="by hand: the holding power",
    ),
)
