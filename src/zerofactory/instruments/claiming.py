"""Claims: the rows of CLAIMS that claimed units make, so that accounting knows which electricity or tonnes they cover.

A retirement that covers purchased electricity is a document as well: a certificate of a month, as good as one that came in a
workbook. It becomes a row of ACTIVITIES of the plant's source of green power, so that closing, verifying, packages and
restatement treat it like any other document and a sealed month never changes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from zerofactory.accounting.claims import ANY_REGIME, CLAIMS, ELECTRICITY, EMISSIONS
from zerofactory.errors import Misuse, Problem, Text
from zerofactory.instruments.batch import Batch
from zerofactory.instruments.book import Transfer
from zerofactory.instruments.purpose import Purpose
from zerofactory.metering.activity_table import ACTIVITIES, canonical, digest
from zerofactory.periods import Period
from zerofactory.site.model import Plant, SourceUse

WH_PER_UNIT = 1_000_000
CONTRACT, LINE = "green_power_contract", "direct_line"
GRAMS_PER_UNIT = 1_000_000


def month_covered(purpose: Purpose, batch: Batch) -> str | None:
    """Return the month whose electricity a batch covers: the one asked for, else its own month of generation, or None.

    None where a year was asked for and the generation spans several months or lies in another year.
    """
    if len(purpose.period) > 4:
        return purpose.period
    own = batch.vintage_month
    return own if own is not None and own[:4] == purpose.period else None


def month_unclear(purpose: Purpose, batch: Batch) -> Problem:
    """Return the problem of a batch of which it is not clear whose month it covers."""
    message = Text(
        f"{batch.batch_id} 的发电期为 {batch.vintage}, 不知覆盖 {purpose.period} 的哪个月。",
        f"{batch.batch_id} was generated in {batch.vintage}; it is not clear which month of {purpose.period} it covers.",
    )
    hint = Text("请用 --period 2025-07 写明月份。", "Name the month: --period 2025-07.")
    return Problem("instruments.month_unclear", message, hint)


def claim_rows(
    purpose: Purpose, batches: Mapping[str, Batch], transfers: Sequence[Transfer], retired_on: date
) -> pl.DataFrame:
    """Return the rows of CLAIMS of transfers into ``claimed``: one a transfer; none for ETS compliance.

    One certificate covers 1 MWh, one credit 1 tCO2e. Only scope 2 and neutrality are about the inventory's figures.
    """
    if purpose.use not in ("scope2_market", "neutrality"):
        return CLAIMS.empty()
    rows: list[dict[str, object]] = []
    for one in transfers:
        if one.to_account != "claimed":
            continue
        batch = batches[one.batch_id]
        electric = purpose.use == "scope2_market"
        rows.append(
            {
                "claim_id": f"{purpose.claim_id}.{one.transfer_id}",
                "instrument": batch.kind,
                "covers": ELECTRICITY if electric else EMISSIONS,
                "amount_wh": one.amount * WH_PER_UNIT if electric else None,
                "amount_gco2e": None if electric else one.amount * GRAMS_PER_UNIT,
                "vintage": batch.vintage_month or f"{batch.vintage_start:%Y-%m}",
                "market": batch.market,
                "beneficiary": purpose.beneficiary,
                "regime": ANY_REGIME,
                "period": (month_covered(purpose, batch) or purpose.period) if electric else purpose.period,
                "retired_on": (batch.retired_on or retired_on).isoformat(),
                "serials": str(one.serials),
                "profile": batch.hour_profile or None,
                "document": one.certificate or batch.retirement_id or None,
            }
        )
    return CLAIMS.frame(rows)


def source_of_certificates(plant: Plant) -> SourceUse | None:
    """Return the plant's source that certificates are booked under: its first of green power that is no direct line."""
    uses = [use for use in plant.sources if use.kind == CONTRACT and use.detail.get("instrument_kind") != LINE]
    return uses[0] if uses else None


def no_source() -> Problem:
    """Return the problem of a plant without a source of green power."""
    message = Text(
        "工厂文件里没有绿电合同与绿证排放源, 注销的绿证无处入账。",
        "The plant file has no source of green power under which retired certificates are booked.",
    )
    hint = Text(
        '请在 factory.toml 加一个 kind = "green_power_contract" 的 [[sources]]。',
        'Add [[sources]] with kind = "green_power_contract" to factory.toml.',
    )
    return Problem("instruments.no_source", message, hint, file="factory.toml")


def certificate_rows(claims: pl.DataFrame, plant: Plant, evidence: Mapping[str, str]) -> pl.DataFrame:
    """Return ACTIVITIES of claims that cover electricity: one document each, named like its claim.

    Parameters
    ----------
    claims : rows of CLAIMS.
    evidence : hash of the export that brought the units, by claim.

    Raises
    ------
    Misuse
        The plant has no source of green power; `no_source` is to be told before.
    """
    use = source_of_certificates(plant)
    if use is None:
        raise Misuse("the plant has no source of green power")
    rows = [
        _certificate(row, plant, use, evidence.get(row["claim_id"]))
        for row in claims.filter(pl.col("covers") == ELECTRICITY).iter_rows(named=True)
    ]
    return ACTIVITIES.frame(rows) if rows else ACTIVITIES.empty()


def _certificate(row: Mapping[str, object], plant: Plant, use: SourceUse, evidence: str | None) -> dict[str, object]:
    month = Period.parse(str(row["period"]))
    stated = {"instrument_kind": row["instrument"], "vintage_year": int(str(row["vintage"])[:4])}
    names = ("market", "beneficiary", "serials", "profile")
    stated |= {name: row[name] for name in names if row[name]}
    detail = canonical({**stated, "retired": "yes", "sole_claim": "yes", "rate_attribute": "yes"})
    energy_mwh = float(int(str(row["amount_wh"])) // WH_PER_UNIT)
    return {
        "activity_id": digest(use.id, row["claim_id"], detail, repr(energy_mwh), row["period"]),
        "source_id": use.id,
        "source_kind": CONTRACT,
        "shop": use.shop or plant.shops[0].id,
        "period": month.label,
        "started_at": month.start(plant.time_zone),
        "ended_at": month.end(plant.time_zone),
        "item": use.item or "electricity",
        "quantity": energy_mwh,
        "unit": "MWh",
        "tier": "invoiced",
        "estimated_fraction": 0.0,
        "evidence": evidence,
        "detail": detail,
        "document": row["claim_id"],
        "note": f"注销 retired {row['retired_on']} {row['document'] or ''}".strip(),
    }
