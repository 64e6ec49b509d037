"""The reference page of instruments: kinds, registries with the headings they read, rules, and neutrality requirements."""

from __future__ import annotations


def instruments() -> str:
    """Return the page."""
    return "\n".join(["# 绿证、碳信用与配额 · Instruments", "", *_kinds(), *_registries(), *_rules(), *_neutrality()])


def _kinds() -> list[str]:
    from zerofactory.instruments.kind import kinds

    lines = [
        "## 种类 · Kinds",
        "",
        "| id | 名称 · title | unit | serial space | status | source |",
        "|---|---|---|---|---|---|",
    ]
    return [
        *lines,
        *(
            f"| `{one.id}` | {one.title.zh} · {one.title.en} | {one.unit} | `{one.serial_space}` | {one.status} | {one.source} |"
            for one in kinds().values()
        ),
        "",
    ]


def _registries() -> list[str]:
    from zerofactory.instruments.registry import registries

    lines = ["## 登记机构的导出表 · Registry exports", ""]
    for one in registries().values():
        lines += [
            f"### `{one.id}` {one.title.zh} / {one.title.en}", "",
            f"{one.note.zh} {one.note.en} status: {one.status}. {one.reference}", "",
            "| field | needed | 可用列名 · headings |", "|---|---|---|",
        ]  # fmt: skip
        lines += [
            f"| `{column.field}` | {'yes' if column.needed else ''} | {' / '.join(column.headings)} |"
            for column in one.columns
        ]
        lines.append("")
    return lines


def _rules() -> list[str]:
    from zerofactory.instruments.rule import rules

    lines = [
        "## 规则 · Rules",
        "",
        "| id | kinds | uses | 规则 · rule | clause | status |",
        "|---|---|---|---|---|---|",
    ]
    return [
        *lines,
        *(
            f"| `{one.id}` | {', '.join(one.kinds)} | {', '.join(one.uses)} | {one.text.zh} · {one.text.en} | {one.clause} | {one.status} |"
            for one in rules().values()
        ),
        "",
    ]


def _neutrality() -> list[str]:
    from zerofactory.instruments.neutrality import neutrality_standards

    lines = ["## 碳中和声明的要求 · Requirements of a declaration", ""]
    for one in neutrality_standards().values():
        lines += [
            f"### `{one.id}` {one.title.zh} / {one.title.en}", "", f"{one.note.zh} {one.note.en}", "",
            "| id | clause | stage | 要求 · requirement | value | status |", "|---|---|---|---|---|---|",
        ]  # fmt: skip
        lines += [
            f"| `{r.id}` | {r.clause} | {r.stage}{'' if r.mandatory else ' (info)'} | {r.text.zh} · {r.text.en} | {r.value} {r.unit} | {r.status} |"
            for r in one.requirements
        ]
        lines.append("")
    return lines
