"""Green power contract (绿电合同与绿证): what may cover purchased electricity in the market-based view.

It emits nothing itself and never changes the location-based figure. The quality criteria of the GHG Protocol Scope 2
Guidance, table 7.1, are its details; `electricity.split_by_contract` applies the contract only when all are met.
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, detail_number, detail_text
from zerofactory.errors import Text

KINDS = ("gec", "green_power", "irec", "go", "direct_line", "supplier_rate")
YES_NO = ("yes", "no")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: a contract emits nothing."""
    return ()


SOURCE = Source(
    id="green_power_contract",
    title=Text("绿电合同与绿证", "green power contract"),
    scope=0,
    categories={},
    class_4m1e="method",
    units=("energy",),
    items=("electricity",),
    details=(
        detail_text(
            "instrument_kind",
            "凭证类型(绿证gec/绿电green_power/I-REC irec/GO go/直连direct_line/供应商supplier_rate)",
            "kind",
            KINDS,
            required=True,
        ),
        detail_number("vintage_year", Text("发电年份", "year of generation"), "a", 2100.0, required=True),
        detail_text("market", "电力市场(国家代码)", "market (country code)", required=True),
        detail_text("beneficiary", "受益方(名称或信用代码)", "beneficiary (name or credit code)", required=True),
        detail_text("retired", "是否已注销", "retired", YES_NO, required=True),
        detail_text("sole_claim", "属性主张是否唯一", "sole claim", YES_NO, required=True),
        detail_text("rate_attribute", "是否传递排放率属性", "conveys the emission rate", YES_NO, required=True),
        detail_text(
            "net_of_certificates", "供应商因子是否含已注销证书", "supplier rate includes retired certificates", YES_NO
        ),
        detail_text("certificates_sold", "证书是否已转让他人", "certificates sold to others", YES_NO),
        detail_text("serials", "证书编号", "serial numbers"),
        detail_text("profile", "逐时发电曲线所用表计", "meter whose series shapes the generation"),
    ),
    flows=flows,
    reference="GHG Protocol Scope 2 Guidance, table 7.1 (eight quality criteria)",
    example=Example(
        text=Text("2025 年绿证 100 MWh", "certificates for 100 MWh of 2025"),
        item="electricity",
        quantity=100.0,
        unit="MWh",
        detail={
            "instrument_kind": "gec",
            "vintage_year": 2025,
            "market": "CN",
            "beneficiary": "示例汽车有限公司",
            "retired": "yes",
            "sole_claim": "yes",
            "rate_attribute": "yes",
        },
        expected_kg={},
        citation="a contract emits nothing",
    ),
)
