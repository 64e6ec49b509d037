"""CLAIMS: which retired instrument covers which electricity or tonnes, of which period, under which claim regime.

One row an instrument batch and period. The room of instruments makes the rows when it retires; accounting reads them and
judges each again, because a claim that fails a quality criterion covers nothing whoever wrote it:

    retired, not expired when retired, vintage of the year of consumption, same market, beneficiary is the reporter
    (GHG Protocol Scope 2 Guidance, table 7.1, criteria 3 to 5; validity: `claim_rules.csv`)
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from zerofactory.errors import NotFound, Text
from zerofactory.periods import Period
from zerofactory.site.model import Plant
from zerofactory.tables import Column, TableSchema

ELECTRICITY, EMISSIONS = "electricity", "emissions"
ANY_REGIME = "any"
MONTHS_PER_YEAR = 12

CLAIMS = TableSchema(
    name="claims",
    title=Text("权益主张", "Claims"),
    columns=(
        Column("claim_id", "text", Text("主张编号", "claim")),
        Column(
            "instrument",
            "text",
            Text("权益种类", "kind of instrument"),
            note=Text(
                "电量: 见 claim_rules.csv; 吨: 登记机构的种类",
                "electricity: see claim_rules.csv; tonnes: the registry's",
            ),
        ),
        Column("covers", "text", Text("覆盖对象", "what it covers"), choices=(ELECTRICITY, EMISSIONS)),
        Column(
            "amount_wh",
            "integer",
            Text("电量", "energy"),
            unit="Wh",
            nullable=True,
            minimum=0,
            note=Text("覆盖电量时必填", "needed when it covers electricity"),
        ),
        Column(
            "amount_gco2e",
            "integer",
            Text("排放量", "emissions"),
            unit="gCO2e",
            nullable=True,
            minimum=0,
            note=Text("覆盖排放时必填", "needed when it covers emissions"),
        ),
        Column("vintage", "text", Text("生产月份", "month of generation"), note=Text("如 2025-03", "as 2025-03")),
        Column("market", "text", Text("市场(国家代码)", "market (country code)")),
        Column("beneficiary", "text", Text("受益方", "beneficiary")),
        Column("regime", "text", Text("口径", "claim regime"), note=Text("any: 各口径均可", "any: under every regime")),
        Column("period", "text", Text("覆盖期间", "period covered"), note=Text("月或年", "a month or a year")),
        Column(
            "retired_on",
            "text",
            Text("注销日期", "day of retirement"),
            nullable=True,
            note=Text("空: 未注销, 不采用", "empty: not retired, not applied"),
        ),
        Column("serials", "text", Text("编号区间", "serial numbers"), nullable=True),
        Column(
            "profile",
            "text",
            Text("发电曲线表计", "meter of the generation"),
            nullable=True,
            note=Text("逐时匹配用", "for matching by the hour"),
        ),
        Column("document", "text", Text("凭证", "document"), nullable=True),
    ),
    key=("claim_id",),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one kind of instrument is valid.

    ``valid_months`` from the first day of the month of generation (None: no term); what was generated before
    ``earlier_before`` is valid at least until ``earlier_until``.
    """

    instrument: str
    title: Text
    valid_months: int | None
    earlier_before: str | None
    earlier_until: date | None
    source: str
    status: str


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Rule]:
    """Return the rule of every kind of instrument that may cover electricity, from `claim_rules.csv`."""
    text = (files("zerofactory.accounting") / "claim_rules.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        found[row["instrument"]] = Rule(
            instrument=row["instrument"],
            title=Text(row["title_zh"], row["title_en"]),
            valid_months=int(row["valid_months"]) if row["valid_months"] else None,
            earlier_before=row["earlier_before"] or None,
            earlier_until=date.fromisoformat(row["earlier_until"]) if row["earlier_until"] else None,
            source=row["source"],
            status=row["status"],
        )
    return MappingProxyType(found)


def last_day(instrument: str, vintage: str) -> date | None:
    """Return the last day on which an instrument of a month of generation may be retired; None: it has no term.

    Raises
    ------
    NotFound
        The kind of instrument has no rule.

    Examples
    --------
    Two years from the month of generation; what is older than 2024 lasts until the end of 2025.

    >>> last_day("gec", "2025-03"), last_day("gec", "2022-06"), last_day("direct_line", "2025-03")
    (datetime.date(2027, 2, 28), datetime.date(2025, 12, 31), None)
    """
    if instrument not in rules():
        raise NotFound(Text("权益种类", "kind of instrument"), instrument, tuple(rules()))
    rule = rules()[instrument]
    if rule.valid_months is None:
        return None
    first = Period.parse(vintage).first_day
    months = first.year * MONTHS_PER_YEAR + first.month - 1 + rule.valid_months
    ends = date.fromordinal(date(months // MONTHS_PER_YEAR, months % MONTHS_PER_YEAR + 1, 1).toordinal() - 1)
    if rule.earlier_before and rule.earlier_until and vintage < rule.earlier_before:
        return max(ends, rule.earlier_until)
    return ends


def failed_rules(claim: Mapping[str, object], plant: Plant, own_names: Collection[str]) -> tuple[str, ...]:
    """Return the quality criteria that one row of CLAIMS does not meet (keys of `electricity.CRITERIA`).

    Parameters
    ----------
    claim : one row of CLAIMS that covers electricity.
    plant : the reporter's plant; its market is the country of its region.
    own_names : names under which the reporter may be the beneficiary.
    """
    failed = []
    retired, vintage = claim.get("retired_on"), str(claim["vintage"])
    instrument = str(claim["instrument"])
    if instrument not in rules():
        failed.append("instrument")
    if not retired:
        failed.append("retired")
    elif instrument in rules():
        until = last_day(instrument, vintage)
        if until is not None and date.fromisoformat(str(retired)) > until:
            failed.append("expired")
    if vintage[:4] != str(claim["period"])[:4]:
        failed.append("vintage_year")
    if claim["market"] != plant.region.partition("-")[0]:
        failed.append("market")
    if claim["beneficiary"] not in own_names:
        failed.append("beneficiary")
    return tuple(failed)
