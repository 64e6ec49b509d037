"""The factors: each once with its value, trust and source; the products of them as applied, each with its reason.

What repeats stands once: sources and reasons have numbers, and the table of factors refers to them. A reason is cut down to
the choice it explains: values and sources stand in the table already.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence

from zerofactory.errors import Text
from zerofactory.reporting.figures import formula, number
from zerofactory.reporting.statement import AppliedFactor, FactorLine, GwpLine, Statement
from zerofactory.reporting.table import NOT_PROVIDED, Column, Table

NUMBER = Column(Text("号", "No."), width=6)
SENTENCE_END = re.compile(r"(?<=。) ?|(?<=\.)(?<!Vol\.)(?<!No\.)(?<!ch\.)(?<!eq\.) ")
KIND_AND_PLACE = re.compile(r"[^,，。]{2,24},[^,，。\d]{2,4}。")  # 材料因子,全球。
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NAMED = 5
PLAIN = Text("表列唯一适用的值。", "The one fitting value of the tables.")
PROVENANCE = {
    "verified": Text("已核对原文", "verified"),
    "expert": Text("专家值", "expert"),
    "plant": Text("企业填报", "the plant"),
    "constant": Text("推导", "derived"),
}
CONFIDENCE = {"high": Text("高", "high"), "medium": Text("中", "medium"), "low": Text("低", "low")}


def factors(statement: Statement) -> Table:
    """Every factor used, once: value, how far it is trusted, the numbers of its source and of the reasons for it."""
    columns = (
        Column(Text("因子", "Factor"), width=44),
        Column(Text("编号", "Id"), "code", 38),
        Column(Text("数值", "Value"), "number", 14),
        Column(Text("单位", "Unit"), "unit", 21),
        Column(Text("核对", "Provenance"), width=17),
        Column(Text("可信度", "Confidence"), width=15),
        Column(Text("来源", "Source"), width=11),
        Column(Text("理由", "Reason"), width=13),
    )
    sources = {document: place for place, document in enumerate(_sources(statement), start=1)}
    reasons: dict[str, list[int]] = {}
    for place, products in enumerate(_reasons(statement).values(), start=1):
        for term in dict.fromkeys(term for product in products for term in product.terms):
            reasons.setdefault(term, []).append(place)
    rows = tuple(
        (
            _named(line),
            line.id,
            line.value,
            line.unit,
            PROVENANCE.get(line.provenance, line.provenance),
            CONFIDENCE.get(line.confidence, line.confidence),
            f"S{sources[_document(line)]}",
            f"R{spans(reasons[line.id])}" if line.id in reasons else "",
        )
        for line in statement.factors
    )
    note = Text("S 与 R 为下列两表的编号。", "S and R are the numbers of the two tables that follow.")
    return Table("factors", Text("排放因子", "Emission factors"), columns, rows, note=note if rows else NOT_PROVIDED)


def factor_sources(statement: Statement) -> Table:
    """Each source of factors once: document, edition and the places in it."""
    columns = (NUMBER, Column(Text("来源、版本与位置", "Source, edition and place"), width=120))
    rows = tuple(
        (f"S{place}", " · ".join(part for part in (document, _joined(refs)) if part))
        for place, (document, refs) in enumerate(_sources(statement).items(), start=1)
    )
    title = Text("因子来源", "Sources of the factors")
    return Table("factor_sources", title, columns, rows, note=None if rows else NOT_PROVIDED)


def factor_reasons(statement: Statement) -> Table:
    """Each reason for a choice once, with the factors applied for it."""
    columns = (
        NUMBER,
        Column(Text("选用理由", "Why chosen"), width=82),
        Column(Text("所用因子值", "Values applied"), width=44),
    )
    rows = tuple(
        (f"R{place}", reason, _values(products))
        for place, (reason, products) in enumerate(_reasons(statement).items(), start=1)
    )
    title = Text("选用理由", "Reasons of the choice")
    return Table("factor_reasons", title, columns, rows, note=None if rows else NOT_PROVIDED)


def applied_factors(statement: Statement) -> Table:
    """The products of factors as the records used them, with the whole reason as it is booked."""
    columns = (
        Column(Text("因子", "Factors"), "code", 50),
        Column(Text("气体", "Gas"), width=12),
        Column(Text("所用数值", "Value applied"), "number", 16),
        Column(Text("单位", "Unit"), "unit", 18),
        Column(Text("选用理由", "Why chosen"), width=120),
    )
    rows = tuple((line.id, _gases(line.gas), line.value, line.unit, line.reason) for line in statement.applied_factors)
    title = Text("所用因子与理由", "Factors as applied and why")
    return Table("applied_factors", title, columns, rows, note=None if rows else NOT_PROVIDED)


def _reasons(statement: Statement) -> dict[Text, list[AppliedFactor]]:
    """Return the products by what is left of their reason when values and sources are taken out."""
    lines = {line.id: line for line in statement.factors}
    found: dict[Text, list[AppliedFactor]] = {}
    for product in statement.applied_factors:
        found.setdefault(_choice(product, lines), []).append(product)
    return found


def _choice(product: AppliedFactor, lines: Mapping[str, FactorLine]) -> Text:
    """Return the sentences of a reason that the table of factors does not say: not value, source, kind and place."""
    terms = [lines[term] for term in product.terms if term in lines]
    repeated = [f"{line.value_text} {line.unit}" for line in terms] + [f"《{line.set_title.zh}》" for line in terms]
    stated = tuple(line.title.zh for line in terms if line.provenance == "plant")
    kept = [
        part
        for part in dict.fromkeys(sentences(product.reason))
        if not any(words in part.zh for words in repeated)
        and not (stated and part.zh.startswith(stated))
        and not KIND_AND_PLACE.fullmatch(part.zh)
    ]
    if not kept:
        return PLAIN
    zh, en = "".join(part.zh for part in kept if CHINESE.search(part.zh)), " ".join(part.en for part in kept)
    for line in terms:
        zh, en = zh.replace(f"指定用 {line.id}", "指定用此因子"), en.replace(f"pinned {line.id}", "pinned this factor")
    return Text(zh, en)


def _values(products: Sequence[AppliedFactor]) -> Text:
    listed = list(dict.fromkeys(f"{_gases(line.gas)} {number(line.value)} {line.unit}" for line in products))
    some, more = "; ".join(listed[:NAMED]), len(listed) - NAMED
    return Text(f"{some} 等 {len(listed)} 个", f"{some} and {more} more") if more > 0 else Text(some, some)


def sentences(reason: Text) -> tuple[Text, ...]:
    """Return the sentences of a reason in pairs; the whole when the two languages do not have as many.

    Examples
    --------
    >>> [pair.en for pair in sentences(Text("甲。乙(1.5)。", "From A (Vol. 2), 1.5. Taken as B."))]
    ['From A (Vol. 2), 1.5.', 'Taken as B.']
    """
    zh = [part for part in re.split(r"(?<=。)", reason.zh) if part]
    en = [part for part in SENTENCE_END.split(reason.en) if part]
    return tuple(Text(*pair) for pair in zip(zh, en, strict=True)) if len(zh) == len(en) else (reason,)


def _gases(names: str) -> str:
    return ", ".join(formula(name) for name in names.split(", "))


def gwp(statement: Statement) -> Table:
    """The global warming potentials used (100 years)."""
    columns = (
        Column(Text("气体", "Gas"), width=44),
        Column(Text("GWP-100", "GWP-100"), "number", 14),
        Column(Text("版本", "Set"), width=10),
        Column(Text("核对", "Provenance"), width=18),
        Column(Text("来源", "Source"), width=10),
    )
    sources = {text: f"G{place}" for place, text in enumerate(dict.fromkeys(g.source for g in statement.gwps), start=1)}
    rows = tuple(
        (
            _gas_of(line),
            line.value,
            line.gwp_set,
            PROVENANCE.get(line.provenance, line.provenance),
            sources[line.source],
        )
        for line in statement.gwps
    )
    listed = "; ".join(f"{mark} {text}" for text, mark in sources.items())
    why = statement.gwp_reason or Text("", "")
    note = Text(f"{why.zh}来源: {listed}。", f"{why.en} Sources: {listed}.") if rows else NOT_PROVIDED
    return Table("gwp", Text("全球变暖潜势", "Global warming potentials"), columns, rows, note=note)


def spans(numbers: Iterable[int]) -> str:
    """Return rising numbers with runs drawn together.

    Examples
    --------
    >>> spans([1, 2, 3, 7, 9, 10])
    '1–3, 7, 9–10'
    """
    runs: list[list[int]] = []
    for place in numbers:
        if runs and place == runs[-1][1] + 1:
            runs[-1][1] = place
        else:
            runs.append([place, place])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def _sources(statement: Statement) -> dict[str, list[str]]:
    """Return the documents that factors were read in, each with the places."""
    found: dict[str, list[str]] = {}
    for line in statement.factors:
        found.setdefault(_document(line), []).append(line.source_ref)
    return found


def _document(line: FactorLine) -> str:
    source, edition = line.source, line.edition
    return source if edition in ("", "-") or edition in source else f"{source} · {edition}"


def _joined(refs: Sequence[str]) -> str:
    """Return places of one document, what they begin and end with said once.

    Examples
    --------
    >>> _joined(["record 17 (export)", "record 18 (export)", "record 17 (export)"])
    'record 17, 18 (export)'
    """
    listed = [ref for ref in dict.fromkeys(refs) if ref]
    if len(listed) < 2:
        return "".join(listed)
    head = "".join(_beginning(listed).rpartition(" ")[:2])
    rests = [ref[len(head) :] for ref in listed]
    tail = "".join(_beginning([rest[::-1] for rest in rests])[::-1].partition(" ")[1:])
    return f"{head}{', '.join(rest[: len(rest) - len(tail)] for rest in rests)}{tail}"


def _beginning(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)


def _named(line: FactorLine) -> Text:
    """Return the title of a factor with its gas, unless the title names it."""
    gas, symbol = line.gas or "", formula(line.gas or "")
    return Text(
        *(
            title if gas in title or symbol in title else f"{title} · {symbol}"
            for title in (line.title.zh, line.title.en)
        )
    )


def _gas_of(line: GwpLine) -> Text:
    return line.title or Text(formula(line.gas), formula(line.gas))
