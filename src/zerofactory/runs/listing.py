"""Lists: what there is, by kind. One small function a kind; the name of the function is the name on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zerofactory import units
from zerofactory.accounting.source import sources
from zerofactory.errors import NotFound, Text
from zerofactory.factors.calendar import best_before
from zerofactory.factors.load import factor_book
from zerofactory.runs.context import clock
from zerofactory.runs.inventory import CUTS
from zerofactory.site.template import templates
from zerofactory.standards.load import standards
from zerofactory.store.schema import ACTIVITIES, RUNS
from zerofactory.store.workspace import Workspace

Cell = Text | str | int | None
LEFT, RIGHT = "left", "right"


@dataclass(frozen=True, slots=True)
class Listed:
    """A titled table: header (name, side) and rows; ``names`` are the keys of the JSON form."""

    title: Text
    names: tuple[str, ...]
    header: tuple[tuple[Text, str], ...]
    rows: tuple[tuple[Cell, ...], ...]

    def as_json(self) -> list[dict[str, object]]:
        """Return the rows as plain JSON values."""
        plain = [[{"zh": c.zh, "en": c.en} if isinstance(c, Text) else c for c in row] for row in self.rows]
        return [dict(zip(self.names, row, strict=True)) for row in plain]


def run(kind: str, folder: Path) -> Listed:
    """Return one list; raise `NotFound` with the kinds there are."""
    if kind not in KINDS:
        raise NotFound(Text("列表", "list"), kind, tuple(KINDS))
    return KINDS[kind](folder)


def _listed(title: Text, columns: Sequence[tuple[str, str, str, str]], rows: Sequence[Sequence[Cell]]) -> Listed:
    names = tuple(name for name, _, _, _ in columns)
    header = tuple((Text(zh, en), side) for _, zh, en, side in columns)
    return Listed(title, names, header, tuple(tuple(row) for row in rows))


def _sources(_folder: Path) -> Listed:
    columns = [
        ("id", "种类", "kind", LEFT), ("title", "名称", "title", LEFT), ("scope", "范围", "scope", RIGHT),
        ("class_4m1e", "人机料法环", "4M1E", LEFT), ("units", "单位", "units", LEFT), ("reference", "依据", "reference", LEFT),
    ]  # fmt: skip
    rows = [(s.id, s.title, s.scope, s.class_4m1e, ", ".join(s.units), s.reference) for s in sources().values()]
    return _listed(Text("排放源种类", "Kinds of source"), columns, rows)


def _standards(_folder: Path) -> Listed:
    columns = [
        ("id", "编号", "id", LEFT),
        ("title", "名称", "title", LEFT),
        ("edition", "版本", "edition", LEFT),
        ("status", "状态", "status", LEFT),
    ]
    rows = [(s.id, s.title, s.edition, str(s.status)) for s in standards().values()]
    return _listed(Text("标准", "Standards"), columns, rows)


def _factor_sets(folder: Path) -> Listed:
    columns = [
        ("id", "编号", "id", LEFT), ("title", "名称", "title", LEFT), ("edition", "版本", "edition", LEFT),
        ("factors", "条数", "rows", RIGHT), ("status", "状态", "status", LEFT), ("licence", "许可", "licence", LEFT),
    ]  # fmt: skip
    book = Workspace.open(folder).factor_book if _is_workspace(folder) else factor_book()
    rows = [(s.id, s.title, s.edition, len(s.factors), s.status, s.licence) for s in book.sets.values()]
    return _listed(Text("因子集", "Factor sets"), columns, rows)


def _meters(folder: Path) -> Listed:
    columns = [
        ("id", "表计", "meter", LEFT), ("name", "名称", "name", LEFT), ("carrier", "介质", "carrier", LEFT), ("kind", "类型", "kind", LEFT),
        ("unit", "单位", "unit", LEFT), ("shop", "车间", "shop", LEFT), ("parent", "上级", "parent", LEFT),
    ]  # fmt: skip
    rows = [(m.id, m.name, m.carrier, m.kind, m.unit, m.shop, m.parent) for m in Workspace.open(folder).plant.meters]
    return _listed(Text("表计", "Meters"), columns, rows)


def _shops(folder: Path) -> Listed:
    columns = [("id", "编号", "id", LEFT), ("name", "名称", "name", LEFT), ("kind", "类型", "kind", LEFT)]
    rows = [(s.id, s.name, s.kind) for s in Workspace.open(folder).plant.shops]
    return _listed(Text("车间", "Shops"), columns, rows)


def _plant_sources(folder: Path) -> Listed:
    columns = [
        ("id", "编号", "id", LEFT), ("name", "名称", "name", LEFT), ("kind", "种类", "kind", LEFT), ("shop", "车间", "shop", LEFT),
        ("item", "品种", "item", LEFT), ("quantity_from", "数量来自", "quantity from", LEFT),
    ]  # fmt: skip
    rows = [
        (s.id, s.name, s.kind, s.shop, s.item, ", ".join(s.meters) or Text("凭证", "documents"))
        for s in Workspace.open(folder).plant.sources
    ]
    return _listed(Text("本厂排放源", "Sources of the plant"), columns, rows)


def _units(_folder: Path) -> Listed:
    columns = [
        ("unit", "单位", "unit", LEFT),
        ("title", "名称", "title", LEFT),
        ("dimension", "量纲", "dimension", LEFT),
    ]
    return _listed(
        Text("单位", "Units"), columns, [(s, units.parse(s).title, units.parse(s).dimension) for s in units.symbols()]
    )


def _documents(folder: Path) -> Listed:
    columns = [
        ("document", "凭证号", "document", LEFT), ("source", "排放源", "source", LEFT), ("period", "期间", "period", LEFT),
        ("quantity", "数量", "quantity", RIGHT), ("unit", "单位", "unit", LEFT), ("activity_id", "活动编号", "activity", LEFT),
    ]  # fmt: skip
    frame = Workspace.open(folder).journal.active(ACTIVITIES, brought_by="import")
    rows = [
        (r["document"], r["source_id"], r["period"], f"{r['quantity']:,.10g}", r["unit"], r["activity_id"])
        for r in frame.to_dicts()
    ]
    return _listed(Text("已入账凭证", "Booked documents"), columns, rows)


def _runs(folder: Path) -> Listed:
    columns = [
        ("run_id", "运行号", "run", LEFT),
        ("kind", "类型", "kind", LEFT),
        ("at", "时间", "at", LEFT),
        ("version", "程序版本", "version", LEFT),
        ("parameters", "参数", "parameters", LEFT),
    ]
    frame = Workspace.open(folder).journal.rows(RUNS)
    return _listed(
        Text("运行", "Runs"),
        columns,
        [(r["run_id"], r["kind"], r["started_at"], r["code_version"], r["parameters"]) for r in frame.to_dicts()],
    )


def _seals(folder: Path) -> Listed:
    columns = [
        ("period", "期间", "period", LEFT), ("revision", "版次", "revision", RIGHT), ("known_at", "因子截至", "factors as of", LEFT),
        ("records", "记录", "records", RIGHT), ("total_gco2e", "gCO2e", "gCO2e", RIGHT), ("reason", "原因", "reason", LEFT),
    ]  # fmt: skip
    frame = Workspace.open(folder).seals()
    rows = [
        (r["period"], r["revision"], r["known_at"], r["records"], r["total_gco2e"], r["reason"])
        for r in frame.to_dicts()
    ]
    return _listed(Text("封存", "Seals"), columns, rows)


def _journal(folder: Path) -> Listed:
    columns = [
        ("seq", "号", "no.", RIGHT),
        ("at", "时间", "at", LEFT),
        ("kind", "类型", "kind", LEFT),
        ("actor", "操作人", "by", LEFT),
        ("hash", "哈希", "hash", LEFT),
    ]
    return _listed(
        Text("日记账", "Journal"),
        columns,
        [(e.seq, e.at, e.kind, e.actor, e.hash[:16]) for e in Workspace.open(folder).journal.entries()],
    )


def _best_before(folder: Path) -> Listed:
    columns = [
        ("best_before", "应更新日期", "best before", LEFT), ("id", "因子", "factor", LEFT), ("title", "名称", "title", LEFT), ("set_id", "因子集", "set", LEFT),
    ]  # fmt: skip
    book = Workspace.open(folder).factor_book if _is_workspace(folder) else factor_book()
    rows = [
        (d.best_before.isoformat(), d.factor.id, d.factor.title, d.factor.set_id)
        for d in best_before(book, clock().date())
    ]
    return _listed(Text("因子更新日历: 已到期", "Factor calendar: due for renewal"), columns, rows)


def _cuts(_folder: Path) -> Listed:
    return _listed(
        Text("清单划分方式", "Cuts of the inventory"), [("cut", "划分", "cut", LEFT)], [(cut,) for cut in CUTS]
    )


def _plant_templates(_folder: Path) -> Listed:
    columns = [("id", "编号", "id", LEFT), ("title", "名称", "title", LEFT), ("text", "内容", "content", LEFT)]
    rows = [(one.id, one.title, one.text) for one in templates().values()]
    return _listed(Text("新建工厂的模板", "Templates of a new plant"), columns, rows)


def _kinds(_folder: Path) -> Listed:
    columns = [("kind", "列表", "list", LEFT), ("title", "内容", "content", LEFT)]
    return _listed(
        Text("可列出的内容(zf list 列表)", "What can be listed (zf list LIST)"), columns, list(TITLES.items())
    )


def _is_workspace(folder: Path) -> bool:
    return (folder / "factory.toml").is_file()


KINDS: Mapping[str, Callable[[Path], Listed]] = {
    "sources": _sources,
    "standards": _standards,
    "factor-sets": _factor_sets,
    "units": _units,
    "plant-templates": _plant_templates,
    "cuts": _cuts,
    "best-before": _best_before,
    "shops": _shops,
    "meters": _meters,
    "plant-sources": _plant_sources,
    "documents": _documents,
    "runs": _runs,
    "seals": _seals,
    "journal": _journal,
    "kinds": _kinds,
}

TITLES: Mapping[str, Text] = {
    "sources": Text("可用的排放源种类", "kinds of source there are"),
    "plant-sources": Text("本厂的排放源", "sources of this plant"),
    "meters": Text("本厂的表计", "meters of this plant"),
    "shops": Text("本厂的车间", "shops of this plant"),
    "standards": Text("标准", "standards"),
    "factor-sets": Text("因子集", "factor sets"),
    "plant-templates": Text("新建工厂的模板", "templates of a new plant"),
    "best-before": Text("已到更新日期的因子", "factors due for renewal"),
    "units": Text("认识的单位", "units that are known"),
    "cuts": Text("清单的划分方式", "cuts of the inventory"),
    "documents": Text("已入账的凭证", "booked documents"),
    "seals": Text("已封存的月份", "closed months"),
    "runs": Text("运行记录", "runs"),
    "journal": Text("日记账", "the journal"),
}
