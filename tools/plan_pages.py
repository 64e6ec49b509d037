"""The reference pages of planning: the catalogue of measures, and the keys, frameworks, scenarios and prices of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


def measures() -> str:
    """Return the page of measures and end uses."""
    from zerofactory.planning.end_use import end_uses
    from zerofactory.planning.measure import CLASSES
    from zerofactory.planning.measure import measures as catalogue
    from zerofactory.runs.plan_catalogue import one

    lines = [
        "# 减排措施 · Measures",
        "",
        f"{len(catalogue())} measures in the order of interaction; every number with source and status.",
        "",
    ]
    for kind, title in CLASSES.items():
        lines += [f"## {title.zh} · {title.en}", ""]
        for measure in catalogue().values():
            if measure.kind != kind:
                continue
            shown: dict[str, Any] = one(measure.id)
            acts = "; ".join(row["en"] for row in shown["acts_on"])
            costs = "; ".join(row["en"] for row in shown["costs"]) or "none of its own"
            lines += [
                f"### `{measure.id}` {measure.title.zh} / {measure.title.en}", "",
                f"{measure.description.zh}。{measure.description.en}.", "",
                f"- acts on: {acts}", f"- costs: {costs}",
                f"- life {measure.life_years} a, lead {measure.lead_years} a, best before {measure.best_before.isoformat()}",
                *(f"- {text}" for text in shown["references"]), "",
            ]  # fmt: skip
    lines += [
        "## 用能环节 · End uses",
        "",
        "| id | 名称 · title | source kind | unit | default share | status |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{use.id}` | {use.title.zh} · {use.title.en} | `{use.source_kind}` | {use.unit} | {100 * use.share_fraction:g} % | {use.status} |"
        for use in end_uses().values()
    ]
    return "\n".join([*lines, ""])


def plan() -> str:
    """Return the page of plan.toml, frameworks, scenarios, prices and levers."""
    from zerofactory.planning.commitment import Plan
    from zerofactory.planning.framework import frameworks, published_targets
    from zerofactory.planning.lever import levers
    from zerofactory.planning.scenario import carbon_prices, defaults, grids, prices

    lines = [
        "# 计划文件与数据 · The plan file and its data",
        "",
        "## plan.toml",
        "",
        "| key | type | default |",
        "|---|---|---|",
    ]
    lines += [f"| `{path}` | {kind} | {default} |" for path, kind, default in _keys(Plan, "")]
    lines += [
        "",
        "## 目标框架 · Frameworks of targets",
        "",
        "| rule | 规则 · rule | number | status | source |",
        "|---|---|---|---|---|",
    ]
    for name, book in frameworks().items():
        for rule in book.rules:
            number = next(
                (
                    f"{value:g}"
                    for value in (rule.annual_fraction, rule.reduction_fraction, rule.coverage_fraction)
                    if value is not None
                ),
                "",
            )
            lines.append(
                f"| `{name}` `{rule.id}` | {rule.title.zh} · {rule.title.en} | {number} | {rule.status} | {rule.source} |"
            )
    lines += [
        "",
        "## 车企已公布目标 · Published targets",
        "",
        "| company | target | year | source | status |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {x.company.zh} {x.company.en} | {x.text.zh} · {x.text.en} | {x.year} | {x.source} | {x.status} |"
        for x in published_targets()
    ]
    lines += ["", "## 可调控指标 · Levers", "", "| id | 名称 · title | unit | good |", "|---|---|---|---|"]
    lines += [f"| `{x.id}` | {x.title.zh} · {x.title.en} | {x.unit} | {x.good} |" for x in levers().values()]
    lines += [
        "",
        "## 情景 · Scenarios",
        "",
        "| id | 名称 · title | values | unit | status | source |",
        "|---|---|---|---|---|---|",
    ]
    for scenario in (*grids().values(), *carbon_prices().values()):
        values = ", ".join(f"{year} {value:g}" for year, value in scenario.values.items())
        lines.append(
            f"| `{scenario.id}` | {scenario.title.zh} · {scenario.title.en} | {values} | {scenario.unit} | {scenario.status} | {scenario.source} |"
        )
    lines += [
        "",
        "## 价格 · Prices",
        "",
        "| source kind | item | unit | CNY | status | source |",
        "|---|---|---|---|---|---|",
    ]
    lines += [f"| `{x.source_kind}` | {x.item} | {x.unit} | {x.cny:g} | {x.status} | {x.source} |" for x in prices()]
    lines += ["", "## 默认值 · Defaults", "", "| name | value | unit | status | source |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {row['value']:g} | {row['unit']} | {row['status']} | {row['source']} |"
        for name, row in defaults().items()
    ]
    return "\n".join([*lines, ""])


def _keys(kind: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Yield every key of a record with its type and default."""
    hints = get_type_hints(kind)
    for one in fields(kind):
        inner, key = hints[one.name], f"{path}.{one.name}" if path else one.name
        if get_origin(inner) is UnionType:
            inner = next(part for part in get_args(inner) if part is not type(None))
        arguments = [part for part in get_args(inner) if part is not Ellipsis]
        if is_dataclass(inner) and inner.__name__ != "Text":
            yield from _keys(inner, key)
        elif arguments and is_dataclass(arguments[-1]):
            yield from _keys(arguments[-1], f"{key}[]" if get_origin(inner) is tuple else f"{key}.ID")
        else:
            needed = (
                "needed"
                if repr(one.default).startswith("<dataclasses") and repr(one.default_factory).startswith("<dataclasses")
                else ""
            )
            shown = needed or ("" if repr(one.default).startswith("<") else f"`{one.default!r}`")
            yield key, _type(inner), shown


def _type(kind: Any) -> str:
    return (
        (getattr(kind, "__name__", None) or str(kind).replace("typing.", ""))
        if not get_args(kind)
        else str(kind).replace("typing.", "").replace("|", "/")
    )
