"""The guard against double counting: no serial in two batches, no MWh and no tonne under two instruments, claims or sites."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.instruments.batch import Batch
from zerofactory.instruments.rule import rule
from zerofactory.instruments.serial import SerialRange, clashes, read_range

_SIGNS = re.compile(r"[^\w]+")
_RANGE = re.compile(r"\s*(?:\.\.|~|～|—|至| to )\s*")


@dataclass(frozen=True, slots=True)
class Known:
    """A batch and where it is from, as it is named in a refusal: this book, another site, or a file."""

    batch: Batch
    place: Text


def serials_twice(known: Sequence[Known], fresh: Sequence[Batch]) -> list[Problem]:
    """Return a problem for every fresh batch that holds a unit of another one, known or fresh, with both named."""
    everything = [*known, *(Known(batch, _row_of(batch)) for batch in fresh)]
    ranges = [(one.batch.rules.serial_space, one.batch.serials) for one in everything]
    problems = []
    for earlier, later in clashes(ranges):
        if later < len(known):
            continue
        other, batch = everything[earlier], everything[later].batch
        shared = _shared(other.batch.serials, batch.serials)
        problem = rule("inst.dc.scope").refusal(
            str(shared), f"编号已在 {other.place.zh}。", f"serials are already in {other.place.en}."
        )
        problems.append(replace(problem, code="instruments.serial_twice").at(file=batch.file_name, row=batch.file_row))
    return problems


def _row_of(batch: Batch) -> Text:
    return Text(f"{batch.file_name} 第{batch.file_row}行", f"{batch.file_name} row {batch.file_row}")


def _shared(one: SerialRange, other: SerialRange) -> SerialRange:
    return one.part(max(one.first, other.first), min(one.last, other.last))


def project_key(text: str) -> str:
    """Return a name or number of a project as it is compared.

    Examples
    --------
    >>> project_key("张北 风电场（二期）") == project_key("张北风电场(二期)")
    True
    """
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text)).casefold()


def attributes_twice(batches: Iterable[Batch]) -> list[tuple[Batch, Batch]]:
    """Return pairs of batches of one project and overlapping vintages under two registries' systems.

    The MWh or the tonnes of such a pair may be the same ones; the later of a pair comes second.
    """
    by_project: dict[str, list[Batch]] = {}
    pairs: list[tuple[Batch, Batch]] = []
    seen: set[tuple[str, str]] = set()
    for batch in batches:
        for key in {project_key(batch.project_id), project_key(batch.project_name)} - {""}:
            for other in by_project.get(key, []):
                same = other.rules.serial_space == batch.rules.serial_space
                apart = other.vintage_end < batch.vintage_start or batch.vintage_end < other.vintage_start
                pair = (other.batch_id, batch.batch_id)
                if not same and not apart and pair not in seen and other.batch_id != batch.batch_id:
                    seen.add(pair)
                    pairs.append((other, batch))
            by_project.setdefault(key, []).append(batch)
    return pairs


def attribute_clash(pair: tuple[Batch, Batch]) -> Problem:
    """Return the problem of one pair of `attributes_twice`, with the rule it breaks."""
    other, batch = pair
    systems = {other.kind, batch.kind}
    if "irec" in systems:
        broken = rule("inst.irec")
    elif systems & {"gec", "green_power"} and "ccer" in systems:
        broken = rule("inst.gec.ccer")
    else:
        broken = rule("inst.dc.scope")
    named = batch.project_name or batch.project_id
    problem = broken.refusal(
        batch.batch_id,
        f"项目“{named}”{batch.vintage} 已有 {other.rules.title.zh} {other.batch_id}。",
        f"project '{named}' of {batch.vintage} already has {other.rules.title.en} {other.batch_id}.",
    )
    return problem.at(file=batch.file_name or None, row=batch.file_row or None)


def clashing(batches: Iterable[Batch]) -> Mapping[str, str]:
    """Return the batches of pairs of `attributes_twice`, each with the one it clashes with."""
    found: dict[str, str] = {}
    for other, batch in attributes_twice(batches):
        found.setdefault(batch.batch_id, other.batch_id)
        found.setdefault(other.batch_id, batch.batch_id)
    return found


def ranges_in(text: str) -> list[SerialRange]:
    """Return the ranges that a person listed; what holds no number is passed over.

    Examples
    --------
    >>> [str(one) for one in ranges_in("GEC-2025-001..009; GEC-2025-020")]
    ['GEC-2025-001..GEC-2025-009', 'GEC-2025-020']
    """
    found = []
    for part in re.split(r"[;,；，、]", text):
        ends = [end for end in _RANGE.split(part.strip(), maxsplit=1) if end]
        if not any(sign.isdigit() for sign in part) or not ends:
            continue
        try:
            first = read_range(ends[0])
            last = ends[-1] if not ends[-1].isdigit() else f"{first.prefix}{ends[-1]}{first.suffix}"
            found.append(read_range(ends[0], last))
        except FaultyData:
            continue
    return found


def in_documents(batches: Sequence[Batch], documents: Mapping[str, str]) -> list[tuple[Batch, str]]:
    """Return the batches whose serials a booked contract of green power names already, with its document.

    ``documents`` maps a document to what its column of serial numbers holds (``A-1..A-9; A-20``).
    """
    listed = [(document, one) for document, text in documents.items() for one in ranges_in(text)]
    by_series: dict[tuple[str, str], list[tuple[str, SerialRange]]] = {}
    for document, serials in listed:
        by_series.setdefault(serials.series, []).append((document, serials))
    found = []
    for batch in batches:
        hits = [d for d, one in by_series.get(batch.serials.series, []) if one.overlaps(batch.serials)]
        found += [(batch, hits[0])] if hits else []
    return found
