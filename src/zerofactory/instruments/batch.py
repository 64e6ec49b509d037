"""Batches: what was issued to the plant, once each: kind, registry, project, vintage, serials. And their table.

A batch never changes. Where its units are (held, reserved, retired, claimed …) is said by TRANSFERS alone (`book`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from zerofactory.accounting.claims import last_day
from zerofactory.accounting.claims import rules as validity_rules
from zerofactory.errors import Text
from zerofactory.instruments.kind import Kind, kind
from zerofactory.instruments.serial import SerialRange
from zerofactory.periods import Period
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of units as the registry issued it.

    Parameters
    ----------
    vintage_start, vintage_end : date
        First and last day in which the electricity was generated or the tonnes were reduced.
    project_type : str
        Technology in one word (``solar_pv``, ``onshore_wind`` …), empty where the registry does not say.
    tradable : bool
        Whether it may change hands at all.
    self_use : bool
        Issued for electricity that the plant generated and used itself.
    exclusive : bool or None
        Whether a statement is on file that no other instrument exists for the same MWh or tonne.
    price_cny : float or None
        Price of one unit in CNY.
    """

    batch_id: str
    kind: str
    registry: str
    serials: SerialRange
    vintage_start: date
    vintage_end: date
    project_id: str
    market: str
    beneficiary: str
    project_name: str = UNKNOWN
    project_type: str = UNKNOWN
    methodology: str = UNKNOWN
    registered_on: date | None = None
    acquired_on: date | None = None
    counterparty: str = UNKNOWN
    price_cny: float | None = None
    tradable: bool = True
    bundled: bool = False
    self_use: bool = False
    removal: bool = False
    exclusive: bool | None = None
    adjusted: bool | None = None
    ets_covered: bool = False
    hour_profile: str = UNKNOWN
    site: str = UNKNOWN
    retirement_id: str = UNKNOWN
    retired_on: date | None = None
    file_name: str = UNKNOWN
    file_row: int = 0
    evidence: str = UNKNOWN

    @property
    def amount(self) -> int:
        """Units in the batch."""
        return self.serials.size

    @property
    def rules(self) -> Kind:
        """What its kind is."""
        return kind(self.kind)

    @property
    def expires_on(self) -> date | None:
        """The last day on which it may be retired; None: it has no term. By the month in which its generation began."""
        if self.kind not in validity_rules():
            return None
        return last_day(self.kind, Period(self.vintage_start.year, self.vintage_start.month).label)

    @property
    def vintage(self) -> str:
        """The vintage as a person reads it: a month, a year, or from–to."""
        first, last = self.vintage_start, self.vintage_end
        if (first.year, first.month) == (last.year, last.month):
            return f"{first:%Y-%m}"
        whole = (first.month, first.day, last.month, last.day) == (1, 1, 12, 31)
        return f"{first:%Y}" if whole and first.year == last.year else f"{first:%Y-%m}–{last:%Y-%m}"

    @property
    def vintage_month(self) -> str | None:
        """The one month of the vintage, None where it spans several."""
        first, last = self.vintage_start, self.vintage_end
        return f"{first:%Y-%m}" if (first.year, first.month) == (last.year, last.month) else None


def month_end(day: date) -> date:
    """Return the last day of the month of a day.

    Examples
    --------
    >>> month_end(date(2024, 2, 10))
    datetime.date(2024, 2, 29)
    """
    return Period(day.year, day.month).next_first_day - timedelta(days=1)


def batch_id_of(kind_id: str, serials: SerialRange) -> str:
    """Return the id of a batch: its kind and eight digits that depend on the serials alone.

    Examples
    --------
    >>> batch_id_of("gec", SerialRange("A-", "", 1, 9, 3))
    'gec-00fbbd7a'
    """
    space = kind(kind_id).serial_space
    digest = hashlib.sha256(f"{space}:{serials.prefix}:{serials.suffix}:{serials.first}:{serials.last}".encode())
    return f"{kind_id}-{digest.hexdigest()[:8]}"


def _text(name: str, zh: str, en: str, *, nullable: bool = False) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable)


def _flag(name: str, zh: str, en: str, *, nullable: bool = False) -> Column:
    return Column(name, "flag", Text(zh, en), nullable=nullable)


INSTRUMENT_BATCHES = TableSchema(
    "instrument_batches",
    Text("权益批次", "batches of instruments"),
    (
        _text("batch_id", "批次号", "batch"),
        _text("kind", "权益种类", "kind"),
        _text("registry", "登记机构", "registry"),
        _text("serial_first", "起始编号", "first serial"),
        _text("serial_last", "终止编号", "last serial"),
        _text("serial_prefix", "编号前缀", "prefix of the serials"),
        _text("serial_suffix", "编号后缀", "suffix of the serials"),
        Column("serial_width", "integer", Text("编号位数", "digits of the serials"), minimum=0),
        Column("amount", "integer", Text("数量", "amount"), unit="units", minimum=1),
        _text("unit", "单位", "unit"),
        _text("vintage_start", "年份起(发电或减排)", "first day of vintage"),
        _text("vintage_end", "年份止", "last day of vintage"),
        _text("expires_on", "有效期止", "last day of validity", nullable=True),
        _text("project_id", "项目编号", "project"),
        _text("project_name", "项目名称", "name of the project"),
        _text("project_type", "项目类型", "type of project"),
        _text("methodology", "方法学", "methodology"),
        _text("registered_on", "项目登记日期", "project registered on", nullable=True),
        _text("market", "国家或市场", "country or market"),
        _text("beneficiary", "受益方(账户持有人)", "beneficiary or account holder"),
        _text("acquired_on", "取得日期", "acquired on", nullable=True),
        _text("counterparty", "交易对手", "counterparty"),
        Column("price_cny", "number", Text("单价", "unit price"), unit="CNY", nullable=True, minimum=0.0),
        _flag("tradable", "可交易", "tradable"),
        _flag("bundled", "证电合一", "bundled with electricity"),
        _flag("self_use", "自发自用", "own generation used on site"),
        _flag("removal", "清除类", "removal"),
        _flag("exclusive", "排他声明", "statement of exclusivity", nullable=True),
        _flag("adjusted", "相应调整", "corresponding adjustment", nullable=True),
        _flag("ets_covered", "来自纳入配额管理的项目", "from an entity under the ETS"),
        _text("hour_profile", "逐时发电曲线", "hourly generation"),
        _text("site", "分配厂区或产品", "site or product"),
        _text("retirement_id", "注销凭证号", "retirement certificate"),
        _text("retired_on", "注销日期", "retired on", nullable=True),
        _text("file_name", "文件名", "file"),
        Column("file_row", "integer", Text("行", "row"), minimum=0),
        _text("evidence", "凭证文件哈希", "SHA-256 of the file"),
    ),
    ("batch_id",),
)

_SERIALS = ("serial_first", "serial_last", "serial_prefix", "serial_suffix", "serial_width")
_DERIVED = (*_SERIALS, "amount", "unit", "expires_on")
_DAYS = tuple(one.name for one in fields(Batch) if "date" in str(one.type))
_PLAIN = tuple(name for name in INSTRUMENT_BATCHES.names if name not in (*_DERIVED, *_DAYS))


def batches_frame(batches: Iterable[Batch]) -> pl.DataFrame:
    """Return batches as rows of INSTRUMENT_BATCHES."""
    return INSTRUMENT_BATCHES.frame([_row(batch) for batch in batches])


def _row(batch: Batch) -> dict[str, object]:
    serials, expires = batch.serials, batch.expires_on
    row: dict[str, object] = {name: getattr(batch, name) for name in _PLAIN}
    row |= {name: _iso(getattr(batch, name)) for name in _DAYS}
    return row | {
        "serial_first": serials.first_text, "serial_last": serials.last_text, "serial_prefix": serials.prefix,
        "serial_suffix": serials.suffix, "serial_width": serials.width, "amount": batch.amount,
        "unit": batch.rules.unit, "expires_on": _iso(expires),
    }  # fmt: skip


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def batches_of(frame: pl.DataFrame) -> dict[str, Batch]:
    """Return the batches of a frame of INSTRUMENT_BATCHES by id, in its order."""
    return {row["batch_id"]: _batch(row) for row in frame.iter_rows(named=True)}


def _batch(row: dict[str, Any]) -> Batch:
    prefix, suffix = row["serial_prefix"], row["serial_suffix"]
    first, last = (number_in(row[name], prefix, suffix) for name in ("serial_first", "serial_last"))
    plain = {name: row[name] for name in _PLAIN}
    days = {name: date.fromisoformat(row[name]) if row[name] else None for name in _DAYS}
    serials = SerialRange(prefix, suffix, first, last, row["serial_width"])
    return Batch(serials=serials, **plain, **days)  # type: ignore[arg-type]


def number_in(serial: str, prefix: str, suffix: str) -> int:
    """Return the number of a serial of a known series.

    Examples
    --------
    >>> number_in("GEC-0042-X", "GEC-", "-X")
    42
    """
    return int(serial[len(prefix) : len(serial) - len(suffix)])
