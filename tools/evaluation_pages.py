"""The reference pages of evaluation, made from the rule books, the indicators and the table of amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zerofactory.standards.criterion import Criterion, EvaluationBook, Threshold

OWN = "auto_zero_carbon_factory"
STATUS = {"in_force": "现行 in force", "trial": "试行 trial", "withdrawn": "已废止 withdrawn"}


def evaluation() -> str:
    from zerofactory.standards.criteria import evaluation_book, evaluation_names

    lines = [
        "# 评价标准 · Standards for evaluation", "",
        "条文为转述, 用前请核对所购文本。限值: verified 已核, secondary 转引, placeholder 凭记忆或专家估计, proposal 建议; 空白的限值由使用者连同出处填入 `thresholds.toml`。",
        "Requirements are paraphrased: check a purchased copy. Thresholds: verified, secondary (quoted), placeholder (recalled or expert), proposal; a blank one is entered with its source in `thresholds.toml`.", "",
    ]  # fmt: skip
    for name in evaluation_names():
        book = evaluation_book(name)
        mark = " · 建议稿 proposal" if book.proposal else ""
        lines += [f"## `{book.id}` {book.title.zh} / {book.title.en}", ""]
        lines += [
            f"{book.publisher.zh} {book.publisher.en}, {book.edition}, {book.effective}, {STATUS[book.status]}{mark}",
            "",
        ]
        lines += [f"- {note.zh} {note.en}" for note in book.notes]
        if book.successor:
            lines.append(f"- 已由 `{book.successor}` 取代 succeeded by `{book.successor}`")
        lines += [
            "",
            "| criterion | kind | weight | 内容 / what | indicator | base | lead | provenance: source |",
            "|---|---|---:|---|---|---|---|---|",
        ]
        lines += [_row(one) for one in book.criteria]
        lines += ["", *_grades(book)]
    return "\n".join(lines)


def _row(one: Criterion) -> str:
    weight = "" if one.weight is None else f"{one.weight:g}"
    measured = (
        f"[`{one.forms[0].indicator}`](indicators.md) ({one.unit})" if one.forms else one.evidence.replace("|", "/")
    )
    cells = [f"`{one.id}` {one.clause}", one.kind, weight, f"{one.title.zh} / {one.title.en}", measured,
             _limit(one.base, one.base_text), _limit(one.lead, one.lead_text), f"{one.provenance}: {one.source_ref}"]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _limit(threshold: Threshold | None, words: str) -> str:
    if threshold is None:
        return f"空白 blank ({words})" if words else ""
    return f"{threshold.value:g} {threshold.unit} [{threshold.status}]"


def _grades(book: EvaluationBook) -> list[str]:
    if not book.grades:
        return []
    lines = ["| grade | least score | requires |", "|---|---|---|"]
    for one in book.grades:
        least = (
            "空白 blank"
            if one.scored and one.minimum is None
            else ""
            if one.minimum is None
            else f"{one.minimum.value:g}"
        )
        every = ["mandatory"] if one.all_mandatory else []
        lines.append(f"| `{one.id}` {one.title.zh} / {one.title.en} | {least} | {', '.join([*every, *one.requires])} |")
    return [*lines, ""]


def indicators() -> str:
    from zerofactory.evaluation.amount import amount_kinds
    from zerofactory.evaluation.indicator import indicators as every

    lines = [
        "# 指标与数量 · Indicators and amounts", "",
        "每个指标是一个文件(`evaluation/indicators/`), 由数量算出; 算例由测试执行。",
        "Each indicator is one file (`evaluation/indicators/`), computed from amounts; the tests run its example.", "",
        "| indicator | 名称 / title | unit | formula | amounts | reference | example |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for one in every().values():
        inputs = ", ".join(f"`{name}`" for name in dict.fromkeys(one.inputs.values()))
        example = f"{one.example.expected:.6g} ({one.example.citation})"
        cells = [
            f"`{one.id}`",
            f"{one.title.zh} / {one.title.en}",
            one.unit,
            one.formula,
            inputs,
            one.reference,
            example,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "", "## 数量 Amounts", "",
        "`book`: 账本给出; `attest`: 用 `zf evaluate attest --amount` 附文件证明; `either`: 账本没有时可以证明。`per`: 名称后加 `@`, 如 `energy@paint`。",
        "`book`: from the book; `attest`: attested with its file; `either`: attested where the book has none. `per`: written `name@…`.", "",
        "| amount | unit | per | from | 含义 / meaning | note |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for kind in amount_kinds().values():
        lines.append(
            f"| `{kind.name}` | {kind.unit} | {kind.per} | {kind.giver} | {kind.title.zh} / {kind.title.en} | {kind.note} |"
        )
    return "\n".join(lines)


def own_standard() -> str:
    from zerofactory.evaluation.indicator import indicators as every
    from zerofactory.standards.criteria import evaluation_book

    book = evaluation_book(OWN)
    lines = [
        f"# {book.title.zh} · {book.title.en}: 条款 criteria", "",
        f"版本 edition {book.edition}, {book.effective}。理由见 [README](README.md) · reasons in [README](README.md).", "",
        "## 基本要求(一票否决) · Basic requirements (veto)", "", "| 条款 | 要求 | requirement | 理由 why |", "|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| {one.clause} `{one.id}` | {one.title.zh} | {one.title.en} | {one.rationale.zh} {one.rationale.en} |"
        for one in book.criteria
        if one.kind == "mandatory"
    ]
    for heading in book.dimensions:
        lines += ["", f"## {heading.title.zh} · {heading.title.en} ({heading.points:g})", ""]
        lines += [
            "| 条款 | 指标 indicator | 权重 | 基准值 base | 引领值 lead | 数据 data | 理由 why |",
            "|---|---|---:|---|---|---|---|",
        ]
        for one in book.criteria:
            if one.dimension == heading.id and one.kind == "scored":
                amounts = (
                    ", ".join(
                        f"`{n}`" for n in every()[one.forms[0].indicator].amounts(one.forms[0].parameters).values()
                    )
                    if one.forms
                    else one.evidence
                )
                lines.append(
                    f"| {one.clause} `{one.id}` | {one.title.zh} / {one.title.en} | {one.weight:g} | {_cited(one.base)} | {_cited(one.lead)} "
                    f"| {amounts} | {one.rationale.zh} {one.rationale.en} |"
                )
    lines += [
        "",
        "## 等级 · Grades",
        "",
        "| 等级 grade | 最低分 least score | 另须满足 also | 理由 why |",
        "|---|---:|---|---|",
    ]
    for grade in book.grades:
        least = grade.minimum
        also = ", ".join(f"`{name}`" for name in grade.requires) or "–"
        lines.append(
            f"| {grade.title.zh} / {grade.title.en} | {least.value if least else 0:g} | {also} | {_plain(least)} |"
        )
    asked = {name for grade in book.grades for name in grade.requires}
    head = [
        "",
        "| 条件与参考 condition, information | 要求 | requirement | 限值 threshold | 理由 why |",
        "|---|---|---|---|---|",
    ]
    lines += head
    for one in book.criteria:
        if one.kind == "optional":
            mark = "等级条件 condition" if one.id in asked else "供参考 information"
            lines.append(
                f"| `{one.id}` {mark} | {one.title.zh} | {one.title.en} | {_cited(one.base)} | {one.rationale.zh} {one.rationale.en} |"
            )
    return "\n".join(lines)


def _plain(threshold: Threshold | None) -> str:
    """Return the source of a threshold; that it is a proposal is said by its status."""
    return threshold.source.removeprefix("proposal: ") if threshold else ""


def _cited(threshold: Threshold | None) -> str:
    return (
        "" if threshold is None else f"{threshold.value:g} {threshold.unit} [{threshold.status}: {_plain(threshold)}]"
    )
