"""The documents of the year (凭证) as workbooks with Chinese headers, as the plant's departments would hand them in.

`tables/documents.csv` holds one row a series of documents: file, source, item, unit, amount per vehicle or per year, the
months it comes in, and the particulars of its kind. Amounts follow the year's production and vary a little by chance.
"""

from __future__ import annotations

import io
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xlsxwriter

from zerofactory.reference_plant import shapes
from zerofactory.reference_plant.mess import mess
from zerofactory.reference_plant.readings import Display, month_slots
from zerofactory.reference_plant.series import plant_text

HEADERS = {
    "source": "排放源",
    "started_on": "开始日期",
    "ended_on": "结束日期",
    "quantity": "数量",
    "unit": "单位",
    "item": "品种",
    "tier": "数据来源",
    "document": "凭证号",
    "note": "备注",
}
MORE_HEADERS = {
    "opening": "期初库存",
    "purchased": "本期购入",
    "closing": "期末库存",
    "filled_into_products": "充入产品",
    "inlet": "入口量",
    "outlet": "出口量",
    "load": "负荷",
    "sludge": "污泥去除",
    "serials": "证书编号",
}
WRITTEN_ON = datetime.fromisoformat("2026-01-08T09:00")  # what a workbook says of itself; fixed for equal bytes
LAST_MONTH = 12
UNIX = 3  # the zip format's number of the system that made an entry
TIERS = {"invoiced": "结算", "estimated": "估算"}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of `documents.csv`: a series of like documents. ``item`` is as the voucher writes it, empty where it says none.

    ``months``: ``monthly``, or the first and last month of each document, ``1-6;7-12``. ``balance`` says in which columns the
    amount is given instead of the quantity: ``stock`` (opening, purchased, closing; ``pack`` is the size of a delivery),
    ``filling`` (the same, less what was filled into products; ``pack`` is the share lost), ``inlet-outlet`` and
    ``load-sludge`` (``pack`` is what remains as a share).
    """

    file: str
    source: str
    item: str
    unit: str
    tier: str
    per_vehicle: float
    per_year: float
    digits: int
    months: str
    balance: str
    pack: float
    prefix: str
    note: str

    def periods(self) -> list[tuple[int, int]]:
        """Return the first and last month of each document."""
        if self.months == "monthly":
            return [(month, month) for month in range(1, 13)]
        pairs = [part.split("-") for part in self.months.split(";")]
        return [(int(pair[0]), int(pair[-1])) for pair in pairs]


def series() -> tuple[Series, ...]:
    """Return every series of documents in the order of the table."""
    zero: dict[str, Any] = {"per_vehicle": 0.0, "per_year": 0.0, "pack": 0.0}
    rows = shapes.table("documents").iter_rows(named=True)
    cleaned = ({name: zero.get(name, "") if value is None else value for name, value in row.items()} for row in rows)
    return tuple(Series(**(row | {"months": str(row["months"])})) for row in cleaned)


@lru_cache(maxsize=1)
def source_names() -> dict[str, str]:
    """Return the Chinese name of every source of the plant by id."""
    return {source["id"]: source["name"]["zh"] for source in tomllib.loads(plant_text())["sources"]}


def vehicles_by_month() -> list[int]:
    """Return the vehicles completed in each month."""
    per_day, days = shapes.vehicles(), shapes.days()
    return [int(per_day[[day.month == month for day in days]].sum()) for month in range(1, 13)]


@lru_cache(maxsize=1)
def year_rows() -> tuple[Row, ...]:
    """Return every document that `documents.csv` gives, in the order of the table."""
    return tuple(row for one in series() for row in _rows(one))


def amount_of(row: Mapping[str, Any]) -> float:
    """Return the amount a document states, its balance columns added up.

    Examples
    --------
    >>> amount_of({"opening": 500.0, "purchased": 1000.0, "closing": 250.0})
    1250.0
    """
    if "quantity" in row:
        return float(row["quantity"])
    signs = {"opening": 1, "purchased": 1, "closing": -1, "filled_into_products": -1}
    signs |= {"inlet": 1, "outlet": -1, "load": 1, "sludge": -1}
    return float(sum(sign * row[name] for name, sign in signs.items() if name in row))


def write(folder: Path, displays: Mapping[str, Display]) -> None:
    """Write every workbook of documents, the refused one and its corrected twin included."""
    files: dict[str, list[Row]] = {}
    for one in series():
        files.setdefault(one.file, []).extend(_rows(one))
    files["凭证-能源结算-2025"] += list(_green_power(displays))
    files["凭证-产量-2025"] = [*_production(), *_revenue()]
    wrong = next(entry for entry in mess() if entry.kind == "wrong_unit")
    for name, rows in files.items():
        withheld = [row for row in rows if row["document"] == wrong.document]
        write_workbook(folder / "inbox" / f"{name}.xlsx", [row for row in rows if row not in withheld])
        if withheld:
            write_workbook(folder / wrong.file, [row | {"unit": wrong.unit} for row in withheld])
            write_workbook(folder / str(wrong.corrected_by), withheld)


def _rows(one: Series) -> Iterator[Row]:
    vary = shapes.draws(f"documents/{one.source}/{one.item}", 13)
    scale = 10**one.digits
    made = vehicles_by_month()
    periods = one.periods()
    stock = 0
    for number, (first, last) in enumerate(periods):
        share = one.per_year / len(periods) + one.per_vehicle * sum(made[first - 1 : last])
        amount = max(round(share * (1.0 + (int(vary[number]) - 32) / 640.0) * scale), 1)
        row = _row(one.source, first, last, one.unit, f"{one.prefix}-2025{last:02d}")
        row |= {"item": one.item, "tier": one.tier, "note": one.note}
        parts, stock = _parts(one, amount, stock)
        row |= {name: value / scale for name, value in parts.items()}
        yield row


def _parts(one: Series, amount: int, stock: int) -> tuple[dict[str, int], int]:
    """Return the columns in which an amount is given, in steps of the last digit, and the stock left at the end."""
    if not one.balance:
        return {"quantity": amount}, 0
    if one.balance in ("inlet-outlet", "load-sludge"):
        whole, rest = one.balance.split("-")
        remains = round(amount * one.pack)
        return {whole: amount, rest: remains}, 0
    filled = round(amount / one.pack) if one.balance == "filling" else 0
    used = amount + filled
    delivery = max(used // 5, 1) if filled else round(one.pack * 10**one.digits)
    opening = stock or delivery
    bought = -(-max(used + used // 4 - opening, 0) // delivery) * delivery
    parts = {"opening": opening, "purchased": bought, "closing": opening + bought - used}
    return parts | ({"filled_into_products": filled} if filled else {}), parts["closing"]


def _row(source: str, first: int, last: int, unit: str, document: str) -> Row:
    year = shapes.YEAR
    end = date(year + last // LAST_MONTH, last % LAST_MONTH + 1, 1) - timedelta(days=1)
    return {
        "source": source,
        "started_on": date(year, first, 1),
        "ended_on": end,
        "unit": unit,
        "tier": "invoiced",
        "document": document,
    }


def purchased_kwh(displays: Mapping[str, Display], month: int) -> float:
    """Return the electricity bought in a month in kWh, as the two incomer registers show it."""
    first, last = month_slots(month)
    return sum(displays[name].counted(first, last) for name in ("E-IN-1", "E-IN-2"))


def _green_power(displays: Mapping[str, Display]) -> Iterator[Row]:
    """Yield the monthly settlement of green-power contracts: whole MWh, one certificate a MWh, vintage 2025."""
    given = shapes.parameters()["green_power_fraction"]
    serial = 0
    for month in range(1, 13):
        energy_mwh = int(purchased_kwh(displays, month) * given) // 1000
        row = _row("green-power", month, month, "MWh", f"LD-2025{month:02d}")
        serials = f"FICT-2025-{serial + 1:08d}..{serial + energy_mwh:08d}"
        serial += energy_mwh
        row |= {"quantity": energy_mwh, "serials": serials, "note": "绿电双边合同月度结算(虚构证书编号)"}
        yield row


def _production() -> Iterator[Row]:
    """Yield the monthly output by product; the shares are whole vehicles that add up to the month."""
    given = shapes.parameters()
    for month, total in enumerate(vehicles_by_month(), start=1):
        electric = round(total * given["battery_electric_fraction"])
        hybrid = round(total * given["plug_in_fraction"])
        parts = {"electric-suv": electric, "hybrid-sedan": hybrid, "petrol-sedan": total - electric - hybrid}
        for item, amount in parts.items():
            row = _row("vehicles", month, month, "vehicle", f"CL-2025{month:02d}-{item}")
            yield row | {"item": item, "quantity": amount, "note": "整车下线入库(虚构)"}


def _revenue() -> Iterator[Row]:
    for month, total in enumerate(vehicles_by_month(), start=1):
        row = _row("output-value", month, month, "万元", f"CZ-2025{month:02d}")
        value = total * shapes.parameters()["revenue_cny_per_vehicle"] / 10_000
        yield row | {"quantity": round(value, 1), "note": "工业总产值(虚构)"}


def write_workbook(path: Path, rows: Sequence[Row]) -> None:
    """Write rows in Chinese under the headers of the document form, further columns only where a row has them."""
    names = source_names()
    rows = [row | {"source": names[row["source"]], "tier": TIERS[row["tier"]]} for row in rows]
    titles = HEADERS | {name: title for name, title in MORE_HEADERS.items() if any(name in row for row in rows)}
    used = list(titles)
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    book.set_properties(
        {"title": path.stem, "comments": "虚构的参考工厂 / fictional reference plant", "created": WRITTEN_ON}
    )
    sheet = book.add_worksheet("凭证")
    head = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, list(titles.values()), head)
    for line, row in enumerate(rows, start=1):
        for column, name in enumerate(used):
            value = row.get(name)
            if isinstance(value, date):
                sheet.write_datetime(line, column, datetime.combine(value, time.min), day)
            elif isinstance(value, np.integer | int | float):
                sheet.write_number(line, column, value)
            elif value:
                sheet.write_string(line, column, str(value))
    sheet.set_column(0, len(used), 14)
    sheet.freeze_panes(1, 0)
    book.close()
    path.write_bytes(_unpacked(packed))


def _unpacked(packed: io.BytesIO) -> bytes:
    """Return the workbook stored without compression, so that no library for it can change a byte."""
    plain = io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = UNIX
            target.writestr(entry, source.read(name))
    return plain.getvalue()
