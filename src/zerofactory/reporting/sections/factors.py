"""The factors: each once with its value, trust and source; the products of them as applied, each with its reason.

What repeats stands once: sources and the sentences that many reasons share have numbers, and the tables refer to them.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from zerofactory.errors import Text
from zerofactory.reporting.figures import formula
from zerofactory.reporting.statement import FactorLine, GwpLine, Statement
from zerofactory.reporting.table import NOT_PROVIDED, Column, Table

NUMBER = Column(Text("号", "No."), width=6)
SENTENCE_END = re.compile(r"(?<=。) ?|(?<=\.)(?<!Vol\.)(?<!No\.)(?<!ch\.)(?<!eq\.) ")
SHARED_BY = 3  # a sentence of so many reasons is printed once
PROVENANCE = {
    "verified": Text("已核对原文", "verified"),
    "expert": Text("专家值", "expert"),
    "plant": Text("企业填报", "stated by the plant"),
    "constant": Text("推导", "derived"),
}
CONFIDENCE = {"high": Text("高", "high"), "medium": Text("中", "medium"), "low": Text("低", "low")}


def factors(statement: Statement) -> Table:
    """Every factor used, once: value, how far it is trusted, the number of its source and of the products it is in."""
    columns = (
        Column(Text("因子", "Factor"), width=44),
        Column(Text("编号", "Id"), "code", 38),
        Column(Text("数值", "Value"), "number", 14),
        Column(Text("单位", "Unit"), "unit", 19),
        Column(Text("核对", "Provenance"), width=17),
        Column(Text("可信度", "Confidence"), width=16),
        Column(Text("来源", "Source"), width=11),
        Column(Text("用于", "Used in"), width=13),
    )
    sources = {document: place for place, document in enumerate(_sources(statement), start=1)}
    products: dict[str, list[int]] = {}
    for place, applied in enumerate(statement.applied_factors, start=1):
        for term in dict.fromkeys(applied.terms):
            products.setdefault(term, []).append(place)
    rows = tuple(
        (
            _named(line),
            line.id,
            line.value,
            line.unit,
            PROVENANCE.get(line.provenance, line.provenance),
            CONFIDENCE.get(line.confidence, line.confidence),
            f"S{sources[_document(line)]}",
            spans(products.get(line.id, [])),
        )
        for line in statement.factors
    )
    note = Text(
        "“来源”为下表编号；“用于”为“所用因子与理由”表编号。",
        "'Source' and 'Used in' are the numbers of the two tables that follow.",
    )
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


def applied_factors(statement: Statement) -> Table:
    """The products of factors as the records used them, and why these factors were chosen."""
    columns = (
        NUMBER,
        Column(Text("气体", "Gas"), width=11),
        Column(Text("所用数值", "Value applied"), "number", 13),
        Column(Text("单位", "Unit"), "unit", 15),
        Column(Text("选用理由", "Why chosen"), width=94),
    )
    shared = {text: f"N{place}" for place, text in enumerate(_shared(statement), start=1)}
    rows = tuple(
        (str(place), _gases(line.gas), line.value, line.unit, _referring(sentences(line.reason), shared))
        for place, line in enumerate(statement.applied_factors, start=1)
    )
    title = Text("所用因子与理由", "Factors as applied and why")
    return Table("applied_factors", title, columns, rows, note=None if rows else NOT_PROVIDED)


def reason_notes(statement: Statement) -> Table:
    """The sentences that several reasons share."""
    columns = (NUMBER, Column(Text("多处共用的说明", "Note shared by several factors"), width=120))
    rows = tuple((f"N{place}", text) for place, text in enumerate(_shared(statement), start=1))
    absent = Text("没有共用的说明。", "There are no shared notes.")
    return Table("reason_notes", Text("共用说明", "Shared notes"), columns, rows, note=None if rows else absent)


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


def _shared(statement: Statement) -> tuple[Text, ...]:
    counts = Counter(text for line in statement.applied_factors for text in dict.fromkeys(sentences(line.reason)))
    return tuple(text for text, count in counts.items() if count >= SHARED_BY)


def _referring(parts: Sequence[Text], shared: dict[Text, str]) -> Text:
    """Return the sentences of its own, then the numbers of the shared ones."""
    own = [part for part in parts if part not in shared]
    marks = list(dict.fromkeys(shared[part] for part in parts if part in shared))
    listed = f"[{', '.join(marks)}]" if marks else ""
    return Text("".join(part.zh for part in own) + listed, " ".join([*(part.en for part in own), listed]).strip())


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
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
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
