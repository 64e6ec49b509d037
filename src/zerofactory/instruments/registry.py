"""Registry exports: a table as a registry gives it → batches, and every fault of every row at once.

One file in `registries/` offers one `REGISTRY`: the headings it is known by, where the number stands in its serials, how it
writes days, and what only it checks. ``status`` says how well the form is known: none of ours was seen in a real export of
an account yet, so each is a placeholder until somebody compares it with one.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, partial
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from zerofactory.discover import discover
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.instruments import cell
from zerofactory.instruments.batch import Batch, batch_id_of
from zerofactory.instruments.rule import rule
from zerofactory.instruments.serial import SerialForm, SerialRange, read_range

if TYPE_CHECKING:
    import polars as pl

Cells = Mapping[str, str]
Reason = tuple[str, Text]
TEXTS = ("project_id", "project_name", "methodology", "counterparty", "hour_profile", "site", "retirement_id")
FLAGS = ("tradable", "bundled", "self_use", "removal", "ets_covered", "exclusive", "adjusted")
DAYS = ("registered_on", "acquired_on", "retired_on")
MAX_UNITS = 10**12
HELD = ("held", "active", "issued", "available", "持有", "有效", "未注销", "正常", "可用")
RETIRED = ("retired", "redeemed", "cancelled", "surrendered", "已注销", "注销", "已核销", "核销", "已使用")


@dataclass(frozen=True, slots=True)
class FormColumn:
    """One column of an export: the field it gives, the headings it goes by, whether each row must fill it."""

    field: str
    headings: tuple[str, ...]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Registry:
    """One registry and the form of its export.

    Parameters
    ----------
    kind : str
        Kind of its units; ``kind_of`` may tell another one from the cells of a row.
    columns : tuple of FormColumn
        The columns that are read; others are left alone.
    serial : SerialForm
        Where the number stands.
    days : {'ymd', 'dmy', 'mdy'}
        How days are written where the year does not come first.
    market : str
        Country where the export does not say it; empty: it must say it.
    settled : mapping
        What every unit of the registry is, e.g. ``{"removal": True}``.
    check : callable
        Faults that only this registry's rows can have: (field, what) for a batch and its cells.
    status : str
        verified | secondary | placeholder: how well the form is known.
    """

    id: str
    title: Text
    kind: str
    columns: tuple[FormColumn, ...]
    serial: SerialForm
    reference: str
    status: Literal["verified", "secondary", "placeholder"]
    note: Text
    days: cell.DayOrder = "ymd"
    market: str = ""
    settled: Mapping[str, object] = field(default_factory=dict)
    kind_of: Callable[[Cells], str] | None = None
    check: Callable[[Batch, Cells], list[Reason]] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Around a file: its name and hash, today, and the names under which the plant may hold units."""

    file_name: str
    evidence: str
    on: date
    names: tuple[str, ...]


@lru_cache(maxsize=1)
def registries() -> Mapping[str, Registry]:
    """Return every registry by id, our own and those of installed packages."""
    return MappingProxyType(discover("zerofactory.instruments.registries", "REGISTRY", "zerofactory.registries"))


def registry(name: str) -> Registry:
    """Return one registry; raise `NotFound` with the choices."""
    found = registries().get(name)
    if found is None:
        raise NotFound(Text("登记机构", "registry"), name, tuple(registries()))
    return found


def read(form: Registry, table: pl.DataFrame, reading: Reading) -> tuple[list[Batch], list[Problem]]:
    """Return the batches of an export and every fault in it, each with its row and the heading of its column."""
    places, problems = _columns(form, table.columns)
    if problems:
        return [], [problem.at(file=reading.file_name, row=1) for problem in problems]
    batches = []
    for number, row in enumerate(table.iter_rows(named=True), start=2):
        cells = {field: str(row[heading]).strip() for field, heading in places.items() if row[heading] is not None}
        cells = {field: text for field, text in cells.items() if text}
        if not cells:
            continue
        batch, faults = _row(form, cells, reading, number)
        problems += [
            replace(fault, file=reading.file_name, row=number, column=places.get(fault.column or "", fault.column))
            for fault in faults
        ]
        if batch is not None:
            batches.append(batch)
    return batches, problems


def heading_key(text: str) -> str:
    """Return a heading as it is compared.

    Examples
    --------
    >>> heading_key(" Serial Number (first) ") == heading_key("serial number（FIRST）")
    True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if sign.isalnum())


def _columns(form: Registry, headings: Sequence[str]) -> tuple[dict[str, str], list[Problem]]:
    """Return which heading gives which field; a problem for every needed one that is missing."""
    by_key = {heading_key(heading): heading for heading in headings}
    places: dict[str, str] = {}
    for column in form.columns:
        for heading in column.headings:
            if heading_key(heading) in by_key and column.field not in places:
                places[column.field] = by_key[heading_key(heading)]
    missing = [column for column in form.columns if column.needed and column.field not in places]
    return places, [_missing_column(form, column, headings) for column in missing]


def _row(form: Registry, cells: Cells, reading: Reading, number: int) -> tuple[Batch | None, list[Problem]]:
    """Return the batch of one row, None when it cannot be made, and its faults."""
    faults = [_empty(column.field) for column in form.columns if column.needed and column.field not in cells]
    found: dict[str, object] = {"kind": form.kind_of(cells) if form.kind_of else form.kind}
    for name, column, maker in _makers(form, cells):
        try:
            found[name] = maker()
        except FaultyData as fault:
            faults.extend(problem.at(column=column) for problem in fault.problems)
    if faults:
        return None, faults
    batch = replace(_batch(form, cells, found, reading), file_row=number)
    return batch, _checked(form, batch, cells, found) + _judged(batch, reading)


def _makers(form: Registry, cells: Cells) -> list[tuple[str, str, Callable[[], object]]]:
    """Return what is to be made of the cells that are filled: its name, the field it is from, and how."""
    start = "vintage_start" if "vintage_start" in cells else "vintage"
    makers: list[tuple[str, str, Callable[[], object]]] = [
        ("serials", "serial_first", lambda: read_range(cells["serial_first"], cells.get("serial_last"), form.serial)),
        ("amount", "amount", lambda: cell.whole(cells["amount"])),
        ("vintage", start, lambda: cell.span(cells[start], cells.get("vintage_end"), form.days)),
        ("price_cny", "price_cny", lambda: cell.price(cells["price_cny"], cells.get("currency", ""))),
    ]
    makers += [(name, name, partial(cell.day, cells.get(name, ""), form.days)) for name in DAYS]
    makers += [(name, name, partial(cell.flag, cells.get(name, ""))) for name in FLAGS]
    return [entry for entry in makers if entry[1] in cells] + [("state", "status", lambda: _state(cells))]


def _state(cells: Cells) -> str:
    text = cells.get("status", "held").casefold()
    if text in HELD:
        return "held"
    if text in RETIRED:
        return "retired"
    raise FaultyData(
        [
            _problem(
                "status_unknown",
                f"状态“{text}”无法入账。",
                f"Status '{text}' cannot be booked.",
                f"可用: {'、'.join(HELD[4:] + RETIRED[4:])}; 已售出或转出的不是本企业的。",
                f"Use one of: {', '.join(HELD[:4] + RETIRED[:4])}; sold or transferred units are not yours.",
            )
        ]
    )


def _batch(form: Registry, cells: Cells, found: Mapping[str, object], reading: Reading) -> Batch:
    """Return the batch that sound cells make."""
    serials = cast(SerialRange, found["serials"])
    first, last = cast("tuple[date, date]", found["vintage"])
    kind = str(found["kind"])
    facts: dict[str, object] = {field: cells[field] for field in TEXTS if field in cells}
    facts |= {field: found[field] for field in (*FLAGS, *DAYS, "price_cny") if field in found}
    facts |= form.settled
    if found["state"] == "retired" and "retired_on" not in found:
        facts["retired_on"] = reading.on
    if found["state"] == "held":
        facts.pop("retired_on", None)
    return Batch(
        batch_id=batch_id_of(kind, serials),
        kind=kind,
        registry=form.id,
        serials=serials,
        vintage_start=first,
        vintage_end=last,
        market=cell.country(cells["market"]) if "market" in cells else form.market,
        beneficiary=cells.get("beneficiary", ""),
        project_type=project_type(cells.get("project_type", "")),
        file_name=reading.file_name,
        evidence=reading.evidence,
        **({"project_id": ""} | facts),  # type: ignore[arg-type]
    )


def _checked(form: Registry, batch: Batch, cells: Cells, found: Mapping[str, object]) -> list[Problem]:
    """Return the faults of a batch against its own row: amount, market, and what only this registry checks."""
    faults = []
    amount = found.get("amount")
    if batch.amount > MAX_UNITS:
        faults.append(
            _problem(
                "too_many_units",
                f"一个批次有 {batch.amount:,} 个单位, 超过 {MAX_UNITS:,}。",
                f"A batch of {batch.amount:,} units is above {MAX_UNITS:,}.",
                "请核对起止编号。",
                "Check the serials.",
                "serial_first",
            )
        )
    if amount is not None and amount != batch.amount:
        faults.append(
            _problem(
                "amount_differs",
                f"数量 {amount:,} 与编号区间 {batch.serials}({batch.amount:,} 个)不符。",
                f"The amount {amount:,} differs from the serials {batch.serials} ({batch.amount:,} units).",
                "请核对起止编号和数量。",
                "Check the serials and the amount.",
                "amount",
            )
        )
    if not batch.market:
        faults.append(_empty("market"))
    for place, what in form.check(batch, cells) if form.check else []:
        faults.append(Problem("instruments.registry_check", what, form.note, column=place))
    if "settled_mwh" in cells and batch.kind == "green_power":
        settled = cell.number(cells["settled_mwh"])
        if settled != batch.amount:
            ppa = rule("inst.ppa").refusal(
                str(batch.serials),
                f"结算 {settled:g} MWh, 绿证 {batch.amount}。",
                f"settled {settled:g} MWh, certificates {batch.amount}.",
            )
            faults.append(ppa.at(column="settled_mwh"))
    return faults


def _judged(batch: Batch, reading: Reading) -> list[Problem]:
    """Return the faults that no use can mend: expired, and held in another's name."""
    faults = []
    last, day = batch.expires_on, batch.retired_on or reading.on
    if last is not None and day > last:
        expired = rule("inst.gec.valid").refusal(
            str(batch.serials),
            f"已于 {last} 过期(发电 {batch.vintage})。",
            f"expired on {last} (generated {batch.vintage}).",
        )
        faults.append(expired.at(column="vintage" if batch.vintage_month else "vintage_start"))
    if batch.beneficiary and batch.beneficiary not in reading.names:
        other = rule("inst.beneficiary").refusal(
            str(batch.serials),
            f"受益方“{batch.beneficiary}”不是本企业。",
            f"beneficiary '{batch.beneficiary}' is not the reporter.",
        )
        faults.append(other.at(column="beneficiary"))
    return faults


@lru_cache(maxsize=1)
def _types() -> tuple[tuple[str, tuple[str, ...]], ...]:
    text = (files("zerofactory.instruments") / "project_types.csv").read_text(encoding="utf-8")
    return tuple((row["id"], tuple(row["words"].split(";"))) for row in csv.DictReader(text.splitlines()))


def project_type(text: str) -> str:
    """Return the type of project that a text means; a text that no word is found in stays as it is.

    Examples
    --------
    >>> project_type("集中式光伏"), project_type("Offshore Wind"), project_type("")
    ('solar_pv', 'offshore_wind', '')
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    for name, words in _types():
        if any(word in folded for word in words):
            return name
    return text.strip()


def _missing_column(form: Registry, column: FormColumn, headings: Sequence[str]) -> Problem:
    listed = " / ".join(column.headings)
    return _problem(
        "missing_column",
        f"{form.title.zh}导出表缺少列: {listed}。",
        f"The export of {form.title.en} lacks a column: {listed}.",
        f"现有列: {', '.join(headings)[:200]}。",
        f"Its columns are: {', '.join(headings)[:200]}.",
    )


def _empty(field: str) -> Problem:
    return _problem("empty", "不能为空。", "Must not be empty.", "请补齐该单元格。", "Fill in the cell.", field)


def _problem(code: str, zh: str, en: str, hint_zh: str, hint_en: str, column: str | None = None) -> Problem:
    return Problem(f"instruments.{code}", Text(zh, en), Text(hint_zh, hint_en), column=column)
