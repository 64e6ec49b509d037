"""Write `docs/reference/` from the code and the data files, or check that it is up to date (`--check`).

tables.md     every table of the spine, from its schema
sources.md    every kind of source: categories, units, columns, reference, worked example
factors.md    every factor set with publisher, edition, status and rows
standards.md  every rule book with its categories
evaluation.md every rule book that can be evaluated: criteria, weights, thresholds, sources, grades
measures.md   every measure and end use of the catalogue
plan.md       keys of plan.toml, frameworks, levers, scenarios, prices, defaults
indicators.md every indicator and every amount it is made of (and ../standard/criteria.md: our own standard)
units.md      every unit with its spellings
cli.md        every command with its options
assets.md     every kind of energy asset: parameters with default, source and status, inputs, reference, worked example
tariffs.md    every packaged tariff, its months and charges
factory.md    every key of factory.toml with type, default and source
forms.md      the columns of readings and document forms with every accepted header
factor-columns.md  the columns of a factor set and of a plant's own factors
README.md     what there is
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import evaluation_pages
import instrument_pages
import plan_pages

os.environ["ZF_LANG"] = "en"
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTICE = "<!-- Made by `make docs` from the code and the data files; do not edit. -->\n\n"


def tables() -> str:
    from zerofactory.accounting.origin_rows import ORIGINS
    from zerofactory.evaluation.finding import FINDINGS
    from zerofactory.metering.profile import LOAD
    from zerofactory.metering.reading import READINGS
    from zerofactory.metering.signal import SIGNALS
    from zerofactory.optimisation.energy.plan import DISPATCH
    from zerofactory.optimisation.forecasting.forecast_table import FORECASTS
    from zerofactory.optimisation.material.cuts import CUTS
    from zerofactory.optimisation.scheduling.schedule import SCHEDULE
    from zerofactory.store.schema import FACTS

    pages = [
        schema.markdown()
        for schema in (READINGS, LOAD, SIGNALS, ORIGINS, FORECASTS, DISPATCH, SCHEDULE, CUTS, FINDINGS, *FACTS)
    ]
    return (
        "# 表 · Tables\n\nEvery fact table in `book.db` also carries `row_number`, `entry`, `reverses` and `row_hash`.\n\n"
        + "\n".join(pages)
    )


def sources() -> str:
    from zerofactory.accounting.source import sources as all_sources

    lines = ["# 排放源 · Kinds of source", ""]
    for source in all_sources().values():
        lines += [f"## `{source.id}` {source.title.zh} / {source.title.en}", ""]
        lines += [f"- scope {source.scope}; 4M1E: {source.class_4m1e}; units: {', '.join(source.units)}"]
        lines += [f"- categories: {', '.join(f'{k} → {v}' for k, v in source.categories.items()) or '–'}"]
        if source.items:
            lines += [f"- items: {', '.join(source.items)}"]
        if source.balance:
            lines += [
                "- balance: quantity = "
                + " ".join(f"{'+' if sign > 0 else '−'} `{name}`" for name, sign in source.balance)
            ]
        for column in source.details:
            unit = f" [{column.unit}]" if column.unit else ""
            choices = f": {', '.join(column.choices)}" if column.choices else ""
            need = "" if column.nullable else " (required)"
            lines += [f"- `{column.name}`{unit} {column.title.zh} / {column.title.en}{choices}{need}"]
        example = source.example
        gases = ", ".join(f"{kg:.10g} kg {gas}" for gas, kg in example.expected_kg.items()) or "–"
        lines += [
            f"- reference: {source.reference}",
            f"- example: {example.text.en} → {gases} ({example.citation})",
            "",
        ]
    return "\n".join(lines)


def factors() -> str:
    from zerofactory.factors.load import factor_book

    lines = [
        "# 因子集 · Factor sets",
        "",
        "| set | 名称 / title | publisher | edition | status | rows |",
        "|---|---|---|---|---|---|",
    ]
    for one in factor_book().sets.values():
        lines.append(
            f"| `{one.id}` | {one.title.zh} / {one.title.en} | {one.publisher} | {one.edition} | {one.status} | {len(one.factors)} |"
        )
    return "\n".join(lines) + "\n"


def standards() -> str:
    from zerofactory.standards.load import standards as all_standards

    lines = ["# 标准 · Standards", ""]
    for book in all_standards().values():
        lines += [f"## `{book.id}` {book.title.zh} / {book.title.en}", "", f"{book.publisher}, {book.edition}", ""]
        lines += ["| category | 名称 | title |", "|---|---|---|"]
        lines += [f"| `{c.id}` | {c.title.zh} | {c.title.en} |" for c in book.categories]
        lines += [""]
    return "\n".join(lines)


def units() -> str:
    from zerofactory import units as table

    lines = ["# 单位 · Units", "", "| unit | 名称 / title | dimension | spellings |", "|---|---|---|---|"]
    spellings: dict[str, list[str]] = {}
    for symbol in table.symbols():
        for name in table.aliases_of(table.parse(symbol).dimension):
            if table.parse(name).symbol == symbol and name not in spellings.setdefault(symbol, []):
                spellings[symbol].append(name)
        unit = table.parse(symbol)
        lines.append(
            f"| {symbol} | {unit.title.zh} / {unit.title.en} | {unit.dimension} | {', '.join(spellings[symbol])} |"
        )
    return "\n".join(lines) + "\n"


def cli() -> str:
    import typer

    from zerofactory.cli.main import app

    root = typer.main.get_command(app)
    lines = [
        "# 命令 · Commands",
        "",
        "Every command takes `--json`; `-w DIR` names the workspace (default: the current folder).",
        "",
    ]

    def page(name: str, command: object) -> None:
        children = getattr(command, "commands", None)
        if children:
            for child_name, child in children.items():
                page(f"{name} {child_name}", child)
            return
        lines.extend([f"## `{name}`", "", str(getattr(command, "help", "") or ""), ""])
        for parameter in getattr(command, "params", []):
            flags = ", ".join(f"`{option}`" for option in getattr(parameter, "opts", []))
            lines.append(f"- {flags or parameter.name} {getattr(parameter, 'help', '') or ''}")
        lines.append("")

    page("zf", root)
    return "\n".join(lines)


def factory() -> str:
    import csv
    from dataclasses import MISSING, fields, is_dataclass
    from typing import get_args, get_origin, get_type_hints

    from zerofactory.site import model
    from zerofactory.site.load import _Head, defaults

    with (Path(__file__).parent / "factory_keys.csv").open(encoding="utf-8") as stream:
        said = {(row["table"], row["key"]): (row["zh"], row["en"]) for row in csv.DictReader(stream)}
    chosen = defaults()
    lines = [
        "# factory.toml", "",
        "工厂文件的每个键。文字键可写一种文字, 也可写 `{ zh = \"..\", en = \"..\" }`。不认识的键会被拒绝。",
        "Every key of the plant file. A text is one string or `{ zh = \"..\", en = \"..\" }`. Unknown keys are refused.", "",
    ]  # fmt: skip

    def table(name: str, form: type, keys: list[str]) -> None:
        lines.extend([f"## `{name}`", "", "| key | type | default | 含义 / meaning |", "|---|---|---|---|"])
        hints, own = get_type_hints(form), {field.name: field for field in fields(form)}
        inner = []
        for key in keys:
            if (name.strip("[]"), key) not in said:
                raise SystemExit(f"tools/factory_keys.csv: no words for '{key}' of {name}")
            zh, en = said.pop((name.strip("[]"), key))
            default = own[key].default
            if form is model.Plant and not _Head.model_fields[key].is_required():
                default = _Head.model_fields[key].default
            if form is model.Accounting and key in chosen:
                entry = chosen[key]
                shown = f"`{_toml(entry['value'])}` ({entry['status']}: {entry['source']})"
            elif default is not MISSING:
                shown = "–" if default is None or default == () else f"`{_toml(default)}`"
            elif own[key].default_factory is not MISSING:
                shown = "–"
            else:
                shown = "**必填 required**"
            safe = shown.replace("|", "\\|")
            lines.append(f"| `{key}` | {_type(hints[key])} | {safe} | {zh} / {en} |")
            parts = [part for part in get_args(hints[key]) if is_dataclass(part) and part is not Text]
            edge = ("[[", "]]") if get_origin(hints[key]) is tuple else ("[", "]")
            inner += [(f"{edge[0]}{name.strip('[]')}.{key}{edge[1]}", part) for part in parts]
        lines.append("")
        for path, part in inner:
            table(path, part, [field.name for field in fields(part)])

    from zerofactory.errors import Text

    head = ["id", "name", "time_zone", "region", "currency", "fictional", "opened_on", "closed_on"]
    table("[plant]", model.Plant, head)
    for name in ("organisation", "boundary", "accounting", "calendar", "base_year", "tariff"):
        hint = get_type_hints(model.Plant)[name]
        form = next((part for part in get_args(hint) if is_dataclass(part)), hint)
        table(f"[{name}]", form, [field.name for field in fields(form)])
    for name in ("shops", "lines", "assets", "products", "meters", "state_signals", "sources"):
        form = get_args(get_type_hints(model.Plant)[name])[0]
        table(f"[[{name}]]", form, [field.name for field in fields(form)])
    if said:
        raise SystemExit(f"factory_keys.csv tells of keys that are not there: {sorted(said)}")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(_toml(v) for v in value)}]" if isinstance(value, list | tuple) else str(value)


def _type(hint: object) -> str:
    """Return a type in the words of TOML."""
    from collections.abc import Mapping
    from typing import Literal, get_args, get_origin

    from zerofactory.errors import Text

    if get_origin(hint) is Literal:
        return " ".join(f"`{choice}`" for choice in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {_type(get_args(hint)[0])}"
    if get_origin(hint) is Mapping:
        return "table"
    parts = [part for part in get_args(hint) if part is not type(None)]
    if parts:
        return _type(parts[0])
    names = {
        "str": "text",
        "float": "number",
        "int": "whole number",
        "bool": "true / false",
        "date": "date",
        "time": "time",
    }
    return "text (zh/en)" if hint is Text else names.get(getattr(hint, "__name__", ""), "table")


def forms() -> str:
    import csv

    from zerofactory.accounting.source import sources as all_sources
    from zerofactory.metering.heading import FORM_COLUMNS, READING_COLUMNS, form_columns

    folder = Path(__file__).resolve().parents[1] / "src" / "zerofactory" / "metering"
    with (folder / "headings.csv").open(encoding="utf-8") as stream:
        aliases = {row["name"]: row["aliases"].replace("|", ", ") for row in csv.DictReader(stream)}
    with (folder / "words.csv").open(encoding="utf-8") as stream:
        words = list(csv.DictReader(stream))
    top = ["| column | 中文 | English | 也认 / also read as | |", "|---|---|---|---|---|"]

    def rows(columns: object) -> list[str]:
        return [
            f"| `{c.name}` | {c.title.zh} | {c.title.en} | {aliases.get(c.name, '')} | {'' if c.nullable else '必填 required'} |"
            for c in columns  # type: ignore[attr-defined]
        ]

    common = {column.name for column in FORM_COLUMNS}
    every = [column for column in form_columns(all_sources().values()) if column.name not in common]
    lines = [
        "# 表单的列 · Columns of the forms", "",
        "表头可写列名、中文、英文或别名; 大小写、首尾空格、`*` 和末尾括号里的单位不影响。",
        "A header may be the name, either title or an alias; case, blanks, `*` and a unit in brackets do not matter.", "",
        "## 读数 Readings (`zf template --for readings`)", "", *top, *rows(READING_COLUMNS), "",
        "## 活动数据 Documents (`zf template --for activities`)", "", *top, *rows(FORM_COLUMNS), "",
        "### 库存平衡与明细 Balances and particulars", "",
        "哪一种排放源要哪些列, 见[排放源](sources.md)。Which kind of source takes which: [sources](sources.md).", "", *top, *rows(every), "",
        "## 词 Words", "", "| column | value | 中文 | English | 也认 / also read as |", "|---|---|---|---|---|",
        *(f"| `{w['list']}` | `{w['value']}` | {w['zh']} | {w['en']} | {w['aliases'].replace('|', ', ')} |" for w in words),
    ]  # fmt: skip
    return "\n".join(lines)


def factor_columns() -> str:
    import csv

    from zerofactory.factors.load import _REQUIRED, COLUMNS

    with (Path(__file__).resolve().parents[1] / "src/zerofactory/factors/roles.csv").open(encoding="utf-8") as stream:
        roles = list(csv.DictReader(stream))
    meaning = {
        "id": ("编号, 全书唯一", "id, unique in the whole book"), "role": ("用途(下表)", "role (below)"),
        "item": ("品种, 如 natural_gas", "item, such as natural_gas"), "name_zh": ("中文名", "Chinese name"),
        "name_en": ("英文名", "English name"), "value": ("数值, 保留原文位数", "value with the digits of the source"),
        "unit": ("单位", "unit"), "gas": ("气体", "gas"), "region": ("地区, 如 CN-上海、CN、world", "region"),
        "valid_from": ("适用自", "holds from"), "valid_to": ("适用至", "holds until"),
        "published_on": ("公布日", "published on"), "best_before": ("应更新日", "to be renewed by"),
        "source": ("出处", "source"), "source_ref": ("页、表、条款", "page, table, clause"),
        "provenance": ("来源状态", "how it was obtained"), "confidence": ("可信度 high medium low", "confidence"),
        "note": ("备注", "note"), "low": ("下限", "lower value"), "high": ("上限", "upper value"),
    }  # fmt: skip
    lines = [
        "# 因子集的列 · Columns of a factor set", "",
        "工作区 `factors/*.csv` 用同样的列; 不必填的列可以省略, 多出的列原样保留。",
        "The plant's own `factors/*.csv` have the same columns; those not required may be left out, further ones are kept.", "",
        "| column | 含义 / meaning | |", "|---|---|---|",
        *(f"| `{c}` | {meaning[c][0]} / {meaning[c][1]} | {'必填 required' if c in _REQUIRED else ''} |" for c in COLUMNS),
        "", "## 用途 Roles", "", "| role | 用途 | use | 规则 / rule |", "|---|---|---|---|",
        *(f"| `{r['role']}` | {r['zh']} | {r['en']} | {r['rule_zh']} {r['rule_en']} |" for r in roles),
    ]  # fmt: skip
    return "\n".join(lines)


def assets() -> str:
    from zerofactory.assets.asset import assets as all_assets

    lines = [
        "# 能源设备 · Energy assets", "",
        "“必填”者须写; “–”者可不写。候选设备(大小待定)须有 `…_maximum_…`。`placeholder` 的默认值请以铭牌或报价替换。",
        "What is *required* must be given, – may stay away. A candidate needs its `…_maximum_…`. Replace defaults that are placeholders.", "",
    ]  # fmt: skip
    for kind in all_assets().values():
        lines += [f"## `{kind.id}` {kind.title.zh} / {kind.title.en}", ""]
        lines += [
            "| parameter | unit | default | bounds | 含义 / meaning | status: source |",
            "|---|---|---|---|---|---|",
        ]
        for one in kind.parameters:
            default = f"{one.default:g}" if isinstance(one.default, float) else one.default
            shown = default if default is not None else ("–" if one.optional else "**必填 required**")
            bounds = ", ".join(one.choices) or _bounds(one.minimum, one.maximum)
            lines.append(
                f"| `{one.name}` | {one.unit} | {shown} | {bounds} | {one.title.zh} / {one.title.en} | {one.status}: {one.source} |"
            )
        lines.append("")
        if kind.inputs:
            needs = (f"`{one.name}` [{one.unit}] {one.title.zh} / {one.title.en}" for one in kind.inputs)
            lines.append(f"- series: {'; '.join(needs)}")
        lines += [f"- reference: {kind.reference}", f"- example: {kind.example.text.en} ({kind.example.citation})", ""]
    return "\n".join(lines)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"≥ {low:g}" if low is not None else f"≤ {high:g}" if high is not None else ""
    return f"{low:g} – {high:g}"


def tariffs() -> str:
    from zerofactory.assets.tariff_file import areas, choices, packaged, read_tariff

    lines = [
        "# 电价 · Tariffs", "",
        "随包的公布电价。状态为二手(secondary): 结算前请对照当月公布的表。Published prices; status secondary: compare before billing.", "",
        "| area | scheme | voltage | months | flat CNY/kWh (last) | demand CNY/kW | capacity CNY/kVA | 名称 / title |", "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for area in areas():
        given = packaged(area)
        for scheme, voltage in choices(given):
            found, _ = read_tariff(given, scheme, voltage)
            if found is None:
                continue
            last = found.rows[-1]
            months = found.published[0] if len(found.rows) == 1 else f"{found.published[0]} … {found.published[-1]}"
            charges = (last.demand_cny_per_kw_month, last.capacity_cny_per_kva_month)
            cells = (
                area,
                scheme,
                voltage,
                months,
                last.prices["flat"],
                *(x if x is not None else "–" for x in charges),
            )
            lines.append(f"| {' | '.join(map(str, cells))} | {found.title.zh} / {found.title.en} |")
    return "\n".join(lines)


def index() -> str:
    rows = {
        "factory": ("工厂文件的键", "keys of the plant file"), "forms": ("表单的列与表头", "columns of the forms"),
        "cli": ("命令", "commands"), "sources": ("排放源种类", "kinds of source"), "standards": ("标准", "standards"),
        "factors": ("因子集", "factor sets"), "factor-columns": ("因子集的列与用途", "columns and roles of factors"),
        "evaluation": ("评价标准的条款", "criteria of the standards for evaluation"),
        "indicators": ("指标与数量", "indicators and amounts"), "assets": ("能源设备与参数", "energy assets and their parameters"),
        "instruments": ("绿证、碳信用: 种类、导出表列名、规则", "instruments: kinds, headings of exports, rules"), "tariffs": ("随包电价", "packaged tariffs"),
        "measures": ("减排措施与用能环节", "measures and end uses"), "plan": ("计划文件、目标框架、情景、价格", "the plan file, frameworks, scenarios, prices"),
        "units": ("单位", "units"), "tables": ("表", "tables"),
    }  # fmt: skip
    lines = ["# 参考 · Reference", "", "| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| [{name}]({name}.md) | {zh} · {en} |" for name, (zh, en) in rows.items())])


PAGES = {
    "evaluation": evaluation_pages.evaluation, "indicators": evaluation_pages.indicators,
    "../standard/criteria": evaluation_pages.own_standard, "instruments": instrument_pages.instruments,
    "measures": plan_pages.measures, "plan": plan_pages.plan,
    "tables": tables, "sources": sources, "factors": factors, "standards": standards, "units": units, "cli": cli,
    "assets": assets, "tariffs": tariffs, "factory": factory, "forms": forms, "factor-columns": factor_columns, "README": index,
}  # fmt: skip


def main() -> int:
    """Write the pages, or with ``--check`` say which are out of date."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, make in PAGES.items():
        path, text = FOLDER / f"{name}.md", NOTICE + make().rstrip("\n") + "\n"
        if "--check" in sys.argv[1:]:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"docs/reference is out of date: {', '.join(stale)}; run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
