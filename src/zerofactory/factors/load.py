"""Load factor sets: the packaged ones and a plant's own, checked, with every fault reported at once."""

from __future__ import annotations

import csv
import io
import math
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Literal, cast

from zerofactory import units
from zerofactory.errors import FaultyData, NotFound, Problem, Text, ZeroFactoryError
from zerofactory.factors import vocabulary
from zerofactory.factors.model import CONFIDENCES, Confidence, Factor, FactorBook, FactorSet, SetStatus

COLUMNS = (
    "id", "role", "item", "name_zh", "name_en", "value", "unit", "gas", "region", "valid_from", "valid_to",
    "published_on", "best_before", "source", "source_ref", "provenance", "confidence", "note", "low", "high",
)  # fmt: skip
_REQUIRED = ("id", "role", "item", "name_zh", "name_en", "value", "unit", "region", "source", "confidence")
_DATES = ("valid_from", "valid_to", "published_on", "best_before")
_KEYS = {
    "title", "publisher", "edition", "licence", "pages", "status",
    "family", "by_default", "applies", "best_before_months", "note",
}  # fmt: skip


@lru_cache(maxsize=1)
def packaged_sets() -> tuple[FactorSet, ...]:
    """Return every factor set of the package, sorted by id."""
    folder = files("zerofactory.factors") / "sets"
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("_"))
    return tuple(
        _packaged(
            name,
            (folder / name / "set.toml").read_text(encoding="utf-8"),
            (folder / name / "factors.csv").read_text(encoding="utf-8"),
        )
        for name in names
    )


def _packaged(name: str, description: str, table: str) -> FactorSet:
    """Build a packaged set; its rows were checked by the tests and are not checked again at each start."""
    head = _describe(name, tomllib.loads(description))
    rows = csv.reader(io.StringIO(table))
    header = next(rows)
    if tuple(header[: len(COLUMNS)]) != COLUMNS:
        raise ZeroFactoryError(f"{name}/factors.csv: its first columns are not {COLUMNS}")
    own = header[len(COLUMNS) :]
    factors = [
        _factor(
            cells[: len(COLUMNS)],
            {key: cell for key, cell in zip(own, cells[len(COLUMNS) :], strict=True) if cell},
            head,
        )
        for cells in rows
    ]
    return replace(head, factors=tuple(factors))


def _describe(name: str, content: dict[str, object]) -> FactorSet:
    unknown = set(content) - _KEYS
    if unknown:
        raise ZeroFactoryError(f"{name}/set.toml: unknown keys {sorted(unknown)}")

    def text(key: str) -> Text:
        pair = cast(dict[str, str], content.get(key, {"zh": "", "en": ""}))
        return Text(pair["zh"], pair["en"])

    return FactorSet(
        id=name,
        title=text("title"),
        publisher=text("publisher"),
        edition=str(content["edition"]),
        licence=str(content["licence"]),
        pages=str(content["pages"]),
        status=cast(SetStatus, content["status"]),
        factors=(),
        family=str(content.get("family", "")) or name,
        by_default=bool(content.get("by_default", True)),
        applies=cast(Literal["own_region", "anywhere"], content.get("applies", "own_region")),
        best_before_months=cast("int | None", content.get("best_before_months")),
        note=text("note"),
    )


@lru_cache(maxsize=1)
def _packaged_book() -> FactorBook:
    return _index(packaged_sets())


def factor_book(extra: Sequence[FactorSet] = ()) -> FactorBook:
    """Return the book of every packaged set and the plant's own sets.

    Raises
    ------
    FaultyData
        Two sets share an id, or two factors do; every clash is listed.

    Examples
    --------
    >>> book = factor_book()
    >>> book.factor("cn.grid.prov.shanghai.2023").value
    0.5737
    """
    return _index((*packaged_sets(), *extra)) if extra else _packaged_book()


def book_of(sets: Sequence[FactorSet]) -> FactorBook:
    """Return the book of exactly these sets; raise `FaultyData` as `factor_book` does."""
    return _index(sets)


def _index(sets: Sequence[FactorSet]) -> FactorBook:
    by_set: dict[str, FactorSet] = {}
    by_id: dict[str, Factor] = {}
    by_role: dict[str, list[Factor]] = {}
    by_role_item: dict[tuple[str, str], list[Factor]] = {}
    by_place: dict[tuple[str, str, str], list[Factor]] = {}
    clashes: list[Problem] = []
    for factor_set in sets:
        if factor_set.id in by_set:
            clashes.append(_clash("因子集", "factor set", factor_set.id, factor_set.id))
        by_set[factor_set.id] = factor_set
        for factor in factor_set.factors:
            if factor.id in by_id:
                clashes.append(_clash("因子", "factor", factor.id, factor_set.id))
            by_id[factor.id] = factor
            by_role.setdefault(factor.role, []).append(factor)
            by_role_item.setdefault((factor.role, factor.item), []).append(factor)
            place = "*" if factor_set.applies == "anywhere" else factor.region
            by_place.setdefault((factor.role, factor.item, place), []).append(factor)
    if clashes:
        raise FaultyData(clashes)
    return FactorBook(
        sets=by_set,
        by_id=by_id,
        by_role={role: tuple(found) for role, found in by_role.items()},
        by_role_item={key: tuple(found) for key, found in by_role_item.items()},
        by_place={key: tuple(found) for key, found in by_place.items()},
        families=_families(sets),
    )


def _families(sets: Sequence[FactorSet]) -> tuple[str, ...]:
    """Return the tables that ``fuel_sets`` may name: those with fuels, and those used only when named."""
    ranked = {name for name, role in vocabulary.roles().items() if role.ranked}
    return tuple(sorted({s.family for s in sets if not s.by_default or any(f.role in ranked for f in s.factors[:1])}))


def _clash(zh: str, en: str, name: str, file: str) -> Problem:
    return Problem(
        code="factors.repeated_id",
        message=Text(f"{zh}编号“{name}”已被占用。", f"The {en} id '{name}' is already taken."),
        hint=Text("换一个编号,例如加上工厂前缀。", "Choose another id, for example with the plant as prefix."),
        file=file,
    )


def read_set(text: str, name: str) -> tuple[FactorSet | None, list[Problem]]:
    """Read a plant's own factors from CSV text with the columns of a packaged set.

    The plant's factors are used only where the plant names them: by a pin, or through ``fuel_sets``, where ``name``
    is the family.

    Parameters
    ----------
    text : str
        The CSV file. Optional columns may be absent; further columns are kept in ``extra``.
    name : str
        The set's id, usually the file's name without its ending.

    Returns
    -------
    The set and no error, or None and every fault (row 1 is the header).
    """
    head = FactorSet(
        id=name,
        title=Text(f"工厂自有因子《{name}》", f"the plant's own factors '{name}'"),
        publisher=Text("工厂", "the plant"),
        edition="-",
        licence="-",
        pages="",
        status="verified",
        factors=(),
        family=name,
        by_default=False,
    )
    factors, problems = _read_table(text, head, f"{name}.csv")
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return replace(head, factors=tuple(factors)), problems


def _read_table(text: str, head: FactorSet, file: str) -> tuple[list[Factor], list[Problem]]:
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [cell.strip() for cell in next(rows, [])]
    missing = [column for column in _REQUIRED if column not in header]
    if missing:
        return [], [
            _problem("missing_column", f"缺少“{name}”列。", f"Column '{name}' is missing.", "补上这一列。", "Add the column.")
            .at(file=file, row=1, column=name)
            for name in missing
        ]  # fmt: skip
    factors: list[Factor] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, cells in enumerate(rows, start=2):
        if not any(cells):
            continue
        if len(cells) != len(header):
            problems.append(_wrong_length(len(cells), len(header)).at(file=file, row=number))
            continue
        row = dict(zip(header, cells, strict=True))
        faults = [*_faults(row), *_repeated(row["id"], seen.setdefault(row["id"], number), number)]
        if faults:
            problems.extend(fault.at(file=file, row=number) for fault in faults)
        else:
            extra = {key: cell for key, cell in row.items() if cell and key not in COLUMNS}
            factors.append(_factor([row.get(column, "").strip() for column in COLUMNS], extra, head))
    return factors, problems


def _wrong_length(found: int, wanted: int) -> Problem:
    return _problem(
        "row_length",
        f"有{found}格,应有{wanted}格。",
        f"Has {found} cells, should have {wanted}.",
        "含逗号的文字请加引号。",
        "Quote text that holds a comma.",
    )


def _repeated(name: str, first: int, number: int) -> Iterator[Problem]:
    if first != number:
        yield _problem(
            "repeated_id",
            f"编号“{name}”与第{first}行重复。",
            f"Id '{name}' repeats row {first}.",
            "每个因子一个编号。",
            "Give each factor its own id.",
            "id",
        )


def _faults(row: dict[str, str]) -> Iterator[Problem]:
    """Yield every fault of one row."""
    for column in _REQUIRED:
        if not row[column].strip():
            yield _problem("empty", "不能为空。", "Must not be empty.", "请填写。", "Fill it in.", column)
    if row["role"] and row["role"] not in vocabulary.roles():
        try:
            vocabulary.role(row["role"])
        except NotFound as error:
            problem = error.as_problem()
            yield replace(problem, code="factors.unknown_role", column="role")
    if row["region"] and row["region"] not in vocabulary.regions():
        try:
            vocabulary.region(row["region"])
        except NotFound as error:
            yield replace(error.as_problem(), code="factors.unknown_region", column="region")
    for column in ("value", "low", "high"):
        content = row.get(column, "").strip()
        if content and not _is_number(content):
            yield _problem("not_a_number", f"“{content}”不是数。", f"'{content}' is not a number.", "只写数字。", "Write digits only.", column)  # fmt: skip
    if row["confidence"] and row["confidence"] not in CONFIDENCES:
        yield _problem("confidence", f"“{row['confidence']}”不是可信度。", f"'{row['confidence']}' is not a confidence.", "写 high、medium 或 low。", "Write high, medium or low.", "confidence")  # fmt: skip
    yield from _date_faults(row)
    yield from _unit_faults(row["unit"].strip())


def _date_faults(row: dict[str, str]) -> Iterator[Problem]:
    days: dict[str, date | None] = {}
    for column in _DATES:
        content = row.get(column, "").strip()
        try:
            days[column] = date.fromisoformat(content) if content else None
        except ValueError:
            yield _problem("not_a_date", f"“{content}”不是日期。", f"'{content}' is not a date.", "写成 2025-01-31。", "Write 2025-01-31.", column)  # fmt: skip
    first, last = days.get("valid_from"), days.get("valid_to")
    if first and last and last < first:
        yield _problem("dates_reversed", "失效日早于生效日。", "It ends before it starts.", "核对两个日期。", "Check both dates.", "valid_to")  # fmt: skip


def _unit_faults(unit: str) -> Iterator[Problem]:
    if unit and not unit_is_known(unit) and unit not in _FREE_UNITS:
        yield _problem(
            "unknown_unit",
            f"读不懂单位“{unit}”。",
            f"Unit '{unit}' is not understood.",
            "写成 分子/分母,例如 kgCO2/kWh、GJ/t。",
            "Write numerator/denominator, for example kgCO2/kWh or GJ/t.",
            "unit",
        )


_FREE_UNITS = frozenset({"tC/ha crown cover/yr", "tC/tree/yr", "tCO2/tree/yr", "L/100km"})


@lru_cache(maxsize=1024)
def unit_is_known(unit: str) -> bool:
    """Whether both sides of a factor's unit are units of the table."""
    try:
        units.parse_factor_unit(unit)
    except NotFound:
        return False
    return True


def _is_number(content: str) -> bool:
    try:
        return math.isfinite(float(content))
    except ValueError:
        return False


def _factor(cells: Sequence[str], extra: dict[str, str], head: FactorSet) -> Factor:
    """Build a factor from the cells of `COLUMNS` in order; a flat reading, since every start of the program does it."""
    (name, role, item, name_zh, name_en, value, unit, gas, region, valid_from, valid_to,
     published_on, best_before, source, source_ref, provenance, confidence, note, low, high) = cells  # fmt: skip
    first, best = _date(valid_from), _date(best_before)
    if best is None and first is not None and head.best_before_months is not None:
        best = _best_before(first.year, head.best_before_months)
    return Factor(
        id=name,
        role=role,
        item=item,
        title=Text(name_zh, name_en),
        value=float(value),
        unit=unit,
        gas=gas or None,
        region=region,
        valid_from=first,
        valid_to=_date(valid_to),
        published_on=_date(published_on),
        best_before=best,
        set_id=head.id,
        source=source,
        source_ref=source_ref,
        provenance=provenance,
        confidence=cast(Confidence, confidence),
        note=note,
        low=float(low) if low else None,
        high=float(high) if high else None,
        extra=extra,
        value_text=value,
    )


@lru_cache(maxsize=512)
def _date(content: str) -> date | None:
    return date.fromisoformat(content) if content else None


@lru_cache(maxsize=512)
def _best_before(factor_year: int, months: int) -> date:
    """Return the last day of the month that lies ``months`` after the end of the factor year."""
    index = (factor_year + 1) * 12 + months
    return date(index // 12, index % 12 + 1, 1) - timedelta(days=1)


def _problem(code: str, zh: str, en: str, hint_zh: str, hint_en: str, column: str | None = None) -> Problem:
    return Problem(code=f"factors.{code}", message=Text(zh, en), hint=Text(hint_zh, hint_en), column=column)
