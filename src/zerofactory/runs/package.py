"""Package: one closed period in one file from which a verifier recomputes every tonne without us.

manifest.json     what is inside, with the SHA-256 of every member; what is signed
signature.json    SHA-256 of the manifest, public key and Ed25519 signature (or none)
plants/           the plant file of every seal, byte by byte
journal.jsonl     every journal entry: the chain
facts/*.jsonl     the rows that the entries of this period brought; each line is the text whose hash chains the row
intervals/        amounts per interval of each month in force; readings/ with --with-readings
factors/          every factor set at hand, whole; used.json names the rows that the records rest on
rules/            the rule books
inventory.json    the totals that the records give under every rule book and claim regime
evidence.json     SHA-256 of every document; the files themselves with --with-evidence
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

import zerofactory
from zerofactory.accounting.inventory import fold
from zerofactory.errors import BookBroken, FaultyData, NotFound, Problem, Text
from zerofactory.factors.model import FactorBook
from zerofactory.periods import Period
from zerofactory.runs import origins
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import DIRECT_AND_ENERGY, SCOPES
from zerofactory.runs.restate import plant_of
from zerofactory.standards.load import standards
from zerofactory.standards.model import Standard
from zerofactory.store.container import MANIFEST, SIGNATURE, Member, describe, layout, ordered, packed
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.journal import Entry, canonical, check_entries, check_lines, standing, stored_columns, to_frame
from zerofactory.store.schema import BATCHES, FACTS, RECORDS, SEALS
from zerofactory.store.series import segments_of
from zerofactory.store.signing import fingerprint, sign

FORMAT, VERSION = "zerofactory-package", 1
RULES_OF_COUNTING = (
    "accounting",
    "metering",
    "site",
    "factors",
    "standards",
    "units.py",
    "units.csv",
    "periods.py",
    "tables.py",
)


@dataclass(frozen=True, slots=True)
class Content:
    """What to put into a package beyond what recomputing needs."""

    with_evidence: bool = False
    with_readings: bool = False
    sign_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Packaged:
    """What was written."""

    file: str
    sha256: str
    bytes: int
    members: int
    months: int
    records: int
    head: str
    signed_by: str | None


def run(context: Context, period: Period, out: Path, content: Content) -> Packaged:
    """Write the verification package of a closed period.

    Raises
    ------
    FaultyData
        A month is not closed, the key cannot be used, a file is missing, or the package would be too large.
    BookBroken
        The journal or the rows of the period do not match their hashes; a broken book is not packaged.
    """
    labels = [month.label for month in period.months()]
    seals = [seal for seal in context.workspace.seals().sort("period").to_dicts() if seal["period"] in labels]
    _refuse_open(labels, seals, period)
    entries = context.workspace.journal.entries()
    wanted = entries_of(context, [*labels, f"{period.year:04d}", period.label])
    lines = {schema.name: context.workspace.journal.lines(schema, wanted) for schema in FACTS}
    broken = [*check_entries(entries)]
    for schema in FACTS:
        broken += check_lines(schema.name, lines[schema.name], entries, wanted)
    if broken:
        raise BookBroken(broken)
    kinds = {entry.seq: entry.kind for entry in entries}
    records = standing(RECORDS, frame_of(RECORDS, lines["records"], kinds)).filter(pl.col("period").is_in(labels))
    parts: dict[str, bytes] = {
        "readme.txt": (files("zerofactory.runs") / "package_readme.txt").read_bytes(),
        "journal.jsonl": _joined([canonical(asdict(entry)) for entry in entries]),
        "inventory.json": pretty(totals(records, standards())),
        **_facts(lines),
        **_plants(context, lines["seals"], labels),
        **_series(context, seals, content),
        **_factors(context.workspace.sealed_factor_book(seals[-1]), records),
        **_rules(),
        **_evidence(context, lines["batches"], content),
    }
    head = {"entries": len(entries), "head": entries[-1].hash, "packaged_entries": list(wanted)}
    manifest = _manifest(context, period, head, seals)
    members = [packed(name, body) for name, body in parts.items()]
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in parts.items()}
    manifest["members"] = describe({member.name: member for member in members}, digests)
    made, signer = _sealed(members, manifest, content)
    digest = write_bytes_whole(out, made)
    return Packaged(
        str(out), digest, len(made), len(members) + 2, len(seals), records.height, entries[-1].hash,
        fingerprint(signer) if signer else None,
    )  # fmt: skip


def _refuse_open(labels: Sequence[str], seals: Sequence[Mapping[str, Any]], period: Period) -> None:
    missing = sorted(set(labels) - {seal["period"] for seal in seals})
    if missing:
        raise FaultyData(
            [
                Problem(
                    code="package.not_closed",
                    message=Text(f"尚未封存: {', '.join(missing)}。", f"Not closed yet: {', '.join(missing)}."),
                    hint=Text(
                        f"请先运行 zf close --period {period.label}。", f"Run zf close --period {period.label} first."
                    ),
                )
            ]
        )


def entries_of(context: Context, periods: Sequence[str]) -> list[int]:
    """Return the journal entries that brought facts of some periods (months, or a year for what is agreed on a year)."""
    journal = context.workspace.journal
    found: set[int] = set()
    for schema in FACTS:
        if "period" in schema.names:
            found |= journal.entries_with(schema, {"period": list(periods)})
    batches = context.workspace.batches()
    reading = [
        row["batch_id"]
        for row in batches.to_dicts()
        if any(segment.period in periods for segment in segments_of(pl.DataFrame([row], schema=batches.schema)))
    ]
    return sorted(found | (journal.entries_with(BATCHES, {"batch_id": reading}) if reading else set()))


def frame_of(schema: Any, lines: Sequence[tuple[int, str]], kinds: Mapping[int, str]) -> pl.DataFrame:
    """Return lines of a table as a frame with `reverses` and the kind of entry that brought each row."""
    return to_frame(schema, [(*json.loads(line)[1:], kinds[seq]) for seq, line in lines])


def totals(records: pl.DataFrame, books: Mapping[str, Standard]) -> dict[str, object]:
    """Return total and categories in whole grams under every rule book, claim regime and scope (1+2, 3).

    Months of different GWP sets make no inventory, so there are no totals then.
    """
    found: dict[str, object] = {}
    if records["gwp_set"].n_unique() > 1:
        return found
    for name, book in sorted(books.items()):
        if book.of_products:
            continue
        for regime in book.regimes:
            for scope in (DIRECT_AND_ENERGY, "3"):
                part = records.filter(pl.col("scope").is_in(SCOPES[scope]))
                made = fold(part, book, regime, "category")
                found[f"{name}/{regime}/{scope}"] = {
                    "total_gco2e": made.total_gco2e,
                    "categories_gco2e": {line.key: line.emissions_gco2e for line in made.lines},
                    "apart_gco2e": dict(made.apart_gco2e),
                }
    return found


def pretty(value: object) -> bytes:
    """Return JSON that is the same bytes everywhere and that a person reads."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _joined(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _facts(lines: Mapping[str, Sequence[tuple[int, str]]]) -> dict[str, bytes]:
    made = {}
    for schema in FACTS:
        header = canonical({"table": schema.name, "columns": ["entry", *stored_columns(schema)]})
        made[f"facts/{schema.name}.jsonl"] = _joined([header, *(line for _, line in lines[schema.name])])
    return made


def _plants(context: Context, lines: Sequence[tuple[int, str]], labels: Sequence[str]) -> dict[str, bytes]:
    seals = frame_of(SEALS, lines, {seq: "" for seq, _ in lines}).filter(pl.col("period").is_in(labels))
    return {
        f"plants/{digest}.toml": context.workspace.evidence.find(digest).read_bytes()
        for digest in seals["plant_sha256"].unique().sort()
    }


def _series(context: Context, seals: Sequence[Mapping[str, Any]], content: Content) -> dict[str, bytes]:
    series, kept = context.workspace.series, origins.kept(context)
    made = {}
    for seal in seals:
        label = seal["period"]
        wanted = {f"intervals/{label}.parquet": series.intervals_file(label, seal["revision"])}
        if content.with_readings and seal["readings_file"]:
            wanted[f"readings/{label}.parquet"] = seal["readings_file"]
        if seal["seal_id"] in kept:
            wanted[f"origins/{label}.parquet"] = series.origins_file(label, seal["revision"])
        for name, file in wanted.items():
            if not series.path(file).is_file():
                raise BookBroken([_missing(f"series/{file}")])
            made[name] = series.path(file).read_bytes()
    return made


def _factors(book: FactorBook, records: pl.DataFrame) -> dict[str, bytes]:
    """Return every set whole: why a factor was chosen says what was passed over, and that must come out the same too."""
    made = {f"factors/{name}.json": pretty(_plain(asdict(found))) for name, found in sorted(book.sets.items())}
    named = {part for joined in records["factor_id"].unique() for part in re.split(r"[*/]", joined)}
    used = sorted(name for name in named if name in book.by_id)
    gases = records.select("gas", "gwp_set", "gwp").unique().sort("gas", "gwp")
    rows = [_plain(asdict(book.by_id[name])) for name in used]
    made["factors/used.json"] = pretty({"factors": rows, "gwp": gases.to_dicts()})
    return made


def _plain(value: object) -> object:
    """Return nested values with days as ISO text."""
    return json.loads(json.dumps(value, default=str, ensure_ascii=False))


def _rules() -> dict[str, bytes]:
    folder = files("zerofactory.standards") / "books"
    return {f"rules/{name}.yaml": (folder / f"{name}.yaml").read_bytes() for name in standards()}


def _evidence(context: Context, lines: Sequence[tuple[int, str]], content: Content) -> dict[str, bytes]:
    listed, made = [], {}
    for row in frame_of(BATCHES, lines, {seq: "" for seq, _ in lines}).sort("file_sha256").to_dicts():
        entry = {"sha256": row["file_sha256"], "file_name": row["file_name"], "kind": row["kind"], "member": None}
        if content.with_evidence and row["kind"] == "activities":
            try:
                path = context.workspace.evidence.find(row["file_sha256"])
            except NotFound as error:
                raise BookBroken([_missing(row["file_name"])]) from error
            entry["member"] = f"evidence/{path.name}"
            made[f"evidence/{path.name}"] = path.read_bytes()
        listed.append(entry)
    made["evidence.json"] = pretty(listed)
    return made


def _missing(file: str) -> Problem:
    message = Text("文件不见了, 无法出包。", "The file is missing; no package can be made.")
    return Problem("package.missing", message, Text("请从备份恢复。", "Restore it from a back-up."), file=file)


def _manifest(
    context: Context, period: Period, head: dict[str, object], seals: Sequence[Mapping[str, Any]]
) -> dict[str, object]:
    plant = plant_of(context, dict(seals[-1]))
    kept = ("seal_id", "known_at", "plant_sha256", "readings_sha256", "intervals_sha256", "records", "total_gco2e")
    return {
        "format": FORMAT,
        "version": VERSION,
        "code_version": zerofactory.__version__,
        "code_sha256": code_digest(),
        "plant": {"id": plant.id, "name": {"zh": plant.name.zh, "en": plant.name.en}, "fictional": plant.fictional},
        "period": period.label,
        "book": head,
        "seals": [{name: seal[name] for name in kept} for seal in seals],
    }


def code_digest() -> str:
    """Return the SHA-256 of the rules that count: the rooms of accounting, metering, site, factors and standards."""
    folder = Path(zerofactory.__file__).parent
    digest = hashlib.sha256()
    found = [path for name in RULES_OF_COUNTING for path in [folder / name, *(folder / name).rglob("*")]]
    for path in sorted(path for path in found if path.suffix in (".py", ".csv", ".toml", ".yaml")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _sealed(members: Sequence[Member], manifest: dict[str, object], content: Content) -> tuple[bytes, str | None]:
    """Return the file with manifest and signature, and the public key that signed it."""
    body = pretty(manifest)
    public, signature = sign(content.sign_key, body) if content.sign_key else (None, None)
    seal = signature_text(hashlib.sha256(body).hexdigest(), public, signature)
    return layout(ordered([packed(MANIFEST, body), packed(SIGNATURE, seal), *members])), public


def signature_text(manifest_sha256: str, public: str | None, signature: str | None) -> bytes:
    """Return the bytes of signature.json: these and no others."""
    return pretty(
        {
            "algorithm": "Ed25519" if public else None,
            "manifest_sha256": manifest_sha256,
            "public_key": public,
            "signature": signature,
        }
    )


def entries_from(content: bytes) -> list[Entry]:
    """Return the journal entries of journal.jsonl."""
    return [Entry(**json.loads(line)) for line in content.decode().splitlines()]
