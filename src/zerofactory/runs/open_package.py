"""Open a package: check every byte, then recompute every tonne from the package alone.

file structure → signature → SHA-256 of members → hash chain → intervals → activities → factors → records → totals

Nothing of a workspace is used and nothing is written. The factors and rule books are those of the package; the rules of
counting are this program's, and when they differ from those that made the package, that is said.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

import zerofactory
from zerofactory.accounting.claims import CLAIMS
from zerofactory.accounting.quantify import quantify
from zerofactory.errors import FaultyData, NotFound, Problem, Text, ZeroFactoryError
from zerofactory.factors.load import book_of
from zerofactory.factors.model import Factor, FactorBook, FactorSet
from zerofactory.metering.activity import from_meters
from zerofactory.metering.grid import grid_of
from zerofactory.metering.interval import MeterMonth
from zerofactory.notation import text_of
from zerofactory.periods import Period
from zerofactory.runs import origins
from zerofactory.runs.month import measure, with_what_follows
from zerofactory.runs.package import (
    FORMAT,
    VERSION,
    code_digest,
    entries_from,
    frame_of,
    pretty,
    signature_text,
    totals,
)
from zerofactory.runs.verify import differences
from zerofactory.site.model import Plant
from zerofactory.standards.load import read as read_rules
from zerofactory.store.container import MANIFEST, MAX_FILE_BYTES, SIGNATURE, Member, describe, head_of, read
from zerofactory.store.journal import Entry, canonical, check_entries, check_lines, standing, stored_columns
from zerofactory.store.schema import ACTIVITIES, FACTS, RECORDS, SEALS
from zerofactory.store.series import interval_digest, month_of
from zerofactory.store.signing import fingerprint, is_signed
from zerofactory.store.workspace import read_plant

MAX_READINGS = 50_000_000
_DAYS = ("valid_from", "valid_to", "published_on", "best_before")
_UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    AttributeError,
    RecursionError,
    pl.exceptions.PolarsError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class PackageVerdict:
    """What verifying a package found. ``signed_by`` is the fingerprint of the signer's key, None when unsigned.

    ``total_gco2e`` is the sum of the seals (location-based scopes 1 and 2); ``warnings`` do not make it unclean.
    """

    file: str
    sha256: str
    plant: Text
    fictional: bool
    period: str
    code_version: str
    signed_by: str | None
    public_key: str | None
    entries: int
    head: str
    months: int
    activities: int
    records: int
    total_gco2e: int
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is broken."""
        return not self.problems

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        names = (
            "file", "sha256", "fictional", "period", "code_version", "signed_by", "public_key", "entries", "head",
            "months", "activities", "records", "total_gco2e", "clean",
        )  # fmt: skip
        found: dict[str, object] = {name: getattr(self, name) for name in names}
        found["plant"] = {"zh": self.plant.zh, "en": self.plant.en}
        found["problems"] = [problem.as_json() for problem in (*self.problems, *self.warnings)]
        return found


@dataclass(frozen=True, slots=True)
class _Opened:
    """The contents of a package whose bytes are all as signed."""

    manifest: dict[str, Any]
    contents: Mapping[str, bytes]
    public_key: str | None

    def json(self, name: str) -> Any:
        return json.loads(self.contents[name])


def verify(path: Path) -> PackageVerdict:
    """Verify a package; the verdict holds every difference found.

    Raises
    ------
    FaultyData
        The file cannot be read, is no package, was made by a newer version, or any byte of it was changed.
    """
    file = _bytes_of(path)
    try:
        opened = _open(file)
        return _recomputed(opened, path, hashlib.sha256(file).hexdigest())
    except FaultyData as fault:
        raise FaultyData([problem.at(file=path.name) for problem in fault.problems]) from fault
    except NotFound as error:
        raise FaultyData([error.as_problem().at(file=path.name)]) from error
    except _UNREADABLE as error:
        raise FaultyData([_unreadable(f"{type(error).__name__}: {error}").at(file=path.name)]) from error


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FaultyData([_unreadable("it is larger than a package may be").at(file=path.name)])
        return path.read_bytes()
    except OSError as error:
        message = Text(f"文件读不了: {error.strerror}。", f"The file cannot be read: {error.strerror}.")
        hint = Text("请检查路径和权限。", "Check the path and the permissions.")
        raise FaultyData([Problem("package.no_file", message, hint, file=path.name)]) from error


def _open(file: bytes) -> _Opened:
    """Return the contents of a package in which every byte is accounted for."""
    _refuse_newer(head_of(file))
    members = read(file)
    if MANIFEST not in members or SIGNATURE not in members:
        raise FaultyData([_not_a_package()])
    body = members[MANIFEST].content()
    public = _signer(members[SIGNATURE].content(), body)
    manifest = json.loads(body)
    if manifest.get("format") != FORMAT or pretty(manifest) != body:
        raise FaultyData([_not_a_package()])
    contents = {name: member.content() for name, member in members.items()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    wrong = _wrong_members(manifest["members"], members, digests)
    if wrong:
        raise FaultyData(wrong)
    return _Opened(manifest, contents, public)


def _refuse_newer(head: bytes | None) -> None:
    try:
        found = json.loads(head) if head is not None else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise FaultyData([_not_a_package()])
    version = found.get("version")
    if isinstance(version, int) and version > VERSION:
        made = str(found.get("code_version"))
        message = Text(
            f"核查包是第 {version} 版格式(zerofactory {made} 生成), 本程序只认到第 {VERSION} 版。",
            f"The package is of format {version} (made by zerofactory {made}); this program reads up to {VERSION}.",
        )
        hint = Text("请升级 zerofactory 后再核验。", "Update zerofactory and verify again.")
        raise FaultyData([Problem("package.newer_version", message, hint)])
    if version != VERSION:
        raise FaultyData([_not_a_package()])


def _signer(seal: bytes, manifest: bytes) -> str | None:
    """Return the public key that signed the manifest, None when it is unsigned; raise when anything does not fit."""
    found = json.loads(seal)
    public, signature = found["public_key"], found["signature"]
    digest = hashlib.sha256(manifest).hexdigest()
    signed = public is None and signature is None
    signed = signed or is_signed(manifest, str(public), str(signature))
    if not signed or seal != signature_text(digest, public, signature):
        message = Text("清单的签名或哈希不符。", "The signature or the hash of the manifest does not match.")
        raise FaultyData([Problem("package.signature", message, _ASK_AGAIN)])
    return str(public) if public is not None else None


def _wrong_members(
    stated: list[dict[str, object]], members: Mapping[str, Member], digests: Mapping[str, str]
) -> list[Problem]:
    found = {str(row["name"]): row for row in describe(members, digests)}
    listed = {str(row["name"]): row for row in stated}
    return [
        Problem(
            "package.member",
            Text(f"成员 {name} 与清单不符。", f"Member {name} is not what the manifest says."),
            _ASK_AGAIN,
            column=name,
        )
        for name in sorted({*found, *listed})
        if found.get(name) != listed.get(name)
    ]


@dataclass(frozen=True, slots=True)
class _Book:
    """The facts of a package."""

    entries: list[Entry]
    lines: Mapping[str, list[tuple[int, str]]]

    def frame(self, schema: Any, until: int | None = None) -> pl.DataFrame:
        kinds = {entry.seq: entry.kind for entry in self.entries}
        lines = [(seq, line) for seq, line in self.lines[schema.name] if until is None or seq <= until]
        return frame_of(schema, lines, kinds)


def _recomputed(opened: _Opened, path: Path, digest: str) -> PackageVerdict:
    """Recompute everything and compare."""
    manifest = opened.manifest
    book = _facts(opened)
    head = manifest["book"]
    problems = [*check_entries(book.entries)]
    for schema in FACTS:
        if schema.name in book.lines:
            problems += check_lines(schema.name, book.lines[schema.name], book.entries, head["packaged_entries"])
    if [len(book.entries), book.entries[-1].hash] != [head["entries"], head["head"]]:
        problems.append(_differs("journal.jsonl", Text("日记账末号与清单不符。", "The journal ends differently.")))
    factors, counts = _factors(opened), {"activities": 0, "records": 0}
    seals = _seals(opened, book, problems)
    for seal in seals:
        problems += _month(opened, book, seal, factors, counts)
    problems += _totals(opened, book, [seal["period"] for seal in seals])
    name = manifest["plant"]["name"]
    return PackageVerdict(
        path.name, digest, Text(name["zh"], name["en"]), bool(manifest["plant"]["fictional"]), manifest["period"],
        manifest["code_version"], fingerprint(opened.public_key) if opened.public_key else None, opened.public_key,
        len(book.entries), book.entries[-1].hash, len(seals), counts["activities"], counts["records"],
        sum(seal["total_gco2e"] for seal in seals),
        tuple(replace(problem, file=path.name) for problem in problems), tuple(_other_rules(manifest, path.name)),
    )  # fmt: skip


def _facts(opened: _Opened) -> _Book:
    entries = entries_from(opened.contents["journal.jsonl"])
    lines: dict[str, list[tuple[int, str]]] = {}
    for schema in FACTS:
        content = opened.contents.get(f"facts/{schema.name}.jsonl")
        if content is None:
            continue
        header, *rows = content.decode().removesuffix("\n").split("\n")
        if header != canonical({"table": schema.name, "columns": ["entry", *stored_columns(schema)]}):
            raise FaultyData([_other_columns(schema.name)])
        lines[schema.name] = [(json.loads(row)[0], row) for row in rows]
    return _Book(entries, lines)


def _seals(opened: _Opened, book: _Book, problems: list[Problem]) -> list[dict[str, Any]]:
    """Return the seals in force of the months of the package; they must be the ones the manifest names."""
    wanted = [month.label for month in Period.parse(opened.manifest["period"]).months()]
    newest: dict[str, dict[str, Any]] = {}
    for row in book.frame(SEALS).sort("period", "revision").to_dicts():
        newest[row["period"]] = row
    stated = {row["seal_id"]: row for row in opened.manifest["seals"]}
    found = [newest[label] for label in wanted if label in newest]
    same = [{name: seal[name] for name in stated.get(seal["seal_id"], {})} for seal in found]
    if len(found) != len(wanted) or same != list(stated.values()):
        problems.append(_differs("manifest.json", Text("封存与清单不符。", "The seals are not those of the manifest.")))
    return found


def _month(
    opened: _Opened, book: _Book, seal: dict[str, Any], factors: FactorBook, counts: dict[str, int]
) -> list[Problem]:
    """Recompute one month: intervals, activities, records."""
    label, period = seal["period"], Period.parse(seal["period"])
    content = opened.contents[f"plants/{seal['plant_sha256']}.toml"]
    if hashlib.sha256(content).hexdigest() != seal["plant_sha256"]:
        return [_differs(f"plants/{seal['plant_sha256']}.toml", Text("工厂文件不符。", "The plant file is another."))]
    plant = read_plant(text_of(content, "factory.toml"))
    in_month = pl.col("period") == label
    facts = book.frame(ACTIVITIES, until=seal["booked_as"]).filter(in_month)
    documents = standing(ACTIVITIES, facts, "import")
    made = standing(ACTIVITIES, facts, "close")
    booked = standing(RECORDS, book.frame(RECORDS).filter(in_month))
    counts["activities"] += documents.height + made.height
    counts["records"] += booked.height
    limit = len(plant.meters) * grid_of(plant, period).slots
    month = month_of(_table(opened, f"intervals/{label}.parquet", limit), plant, period)
    problems = _readings(opened, seal, plant, interval_digest(month))
    metered, activities, _ = with_what_follows(from_meters(month, plant), documents, plant)
    again = quantify(activities, plant, factors, closing=True, known_at=date.fromisoformat(seal["known_at"]))
    problems += [problem for problem in again.problems if problem.severity == "error"]
    problems += differences(ACTIVITIES, made, metered, label)
    problems += differences(RECORDS, booked, again.records, label)
    problems += _origins(opened, book, seal, (month, plant, documents.drop("reverses")))
    if booked.height != seal["records"]:
        said = Text(f"{label} 记录数与封存不符。", f"{label} has another number of records than its seal.")
        problems.append(_differs("facts/records.jsonl", said))
    return problems


def _origins(
    opened: _Opened, book: _Book, seal: dict[str, Any], of: tuple[MeterMonth, Plant, pl.DataFrame]
) -> list[Problem]:
    """Recompute the origins of a month's electricity and compare them with those kept at closing."""
    known = origins.kept_in(entry.payload for entry in book.entries if entry.kind == "close").get(seal["seal_id"])
    if known is None:
        return []
    label, claims = seal["period"], CLAIMS.empty()
    if CLAIMS.name in book.lines:
        on_month = book.frame(CLAIMS, until=seal["booked_as"]).filter(pl.col("period") == label)
        claims = standing(CLAIMS, on_month).drop("reverses")
    made = origins.origins_of(origins.Grounds(*of, known["opening_wh"]), claims)
    name = f"origins/{label}.parquet"
    if made is not None and origins.summary(made) == known:
        rows = made.site_rows()
        if _table(opened, name, rows.height).equals(rows):
            return []
    return [_differs(name, Text(f"{label} 的电量来源重算不符。", f"The origins of {label} do not recompute."))]


def _readings(opened: _Opened, seal: dict[str, Any], plant: Plant, digest: str) -> list[Problem]:
    """Compare the interval amounts with the seal, and with the readings where they are in the package."""
    label = seal["period"]
    problems = []
    if digest != seal["intervals_sha256"]:
        said = Text(f"{label} 的区间数据与封存不符。", f"The interval amounts of {label} are not those of the seal.")
        problems.append(_differs(f"intervals/{label}.parquet", said))
    name = f"readings/{label}.parquet"
    if name in opened.contents:
        readings = _table(opened, name, MAX_READINGS)
        sound = hashlib.sha256(opened.contents[name]).hexdigest() == seal["readings_sha256"]
        if not sound or interval_digest(measure(readings, plant, Period.parse(label))[0]) != seal["intervals_sha256"]:
            said = Text(f"{label} 的读数得不出区间数据。", f"The readings of {label} do not give its interval amounts.")
            problems.append(_differs(name, said))
    return problems


def _table(opened: _Opened, name: str, limit: int) -> pl.DataFrame:
    """Return a Parquet member; its row count is looked at before a row is unpacked."""
    rows = pl.scan_parquet(io.BytesIO(opened.contents[name])).select(pl.len()).collect().item()
    if rows > limit:
        raise ValueError(f"{name} holds {rows} rows, more than the plant can have")
    return pl.read_parquet(io.BytesIO(opened.contents[name]))


def _totals(opened: _Opened, book: _Book, labels: list[str]) -> list[Problem]:
    """Fold the records by the rule books of the package and compare with what it states."""
    records = standing(RECORDS, book.frame(RECORDS)).filter(pl.col("period").is_in(labels))
    names = sorted(name for name in opened.contents if name.startswith("rules/"))
    try:
        books = {Path(name).stem: read_rules(Path(name).stem, text_of(opened.contents[name], name)) for name in names}
        found = totals(records.drop("reverses", "_brought_by", strict=False), books)
    except ZeroFactoryError as error:
        return [_differs("rules", Text(f"规则书读不了: {error}", f"The rule books cannot be used: {error}"))]
    stated = opened.json("inventory.json")
    return [
        _differs("inventory.json", Text(f"{key} 的合计重算不符。", f"The totals of {key} do not recompute."))
        for key in sorted({*found, *stated})
        if found.get(key) != stated.get(key)
    ]


def _factors(opened: _Opened) -> FactorBook:
    """Return the factor sets of the package; the rows named as used must be among them."""
    sets = []
    for name in sorted(opened.contents):
        if name.startswith("factors/") and name != "factors/used.json":
            sets.append(_set(opened.json(name)))
    book = book_of(sets)
    for row in opened.json("factors/used.json")["factors"]:
        if book.factor(row["id"]) != _factor(row):
            said = Text(f"因子 {row['id']} 两处不同。", f"Factor {row['id']} differs within the package.")
            raise FaultyData([_differs("factors/used.json", said)])
    return book


def _set(row: dict[str, Any]) -> FactorSet:
    pairs = {name: Text(**row[name]) for name in ("title", "publisher", "note")}
    return FactorSet(**{**row, **pairs, "factors": tuple(_factor(entry) for entry in row["factors"])})


def _factor(row: dict[str, Any]) -> Factor:
    days = {name: date.fromisoformat(row[name]) if row[name] else None for name in _DAYS}
    return Factor(**{**row, **days, "title": Text(**row["title"])})


def _other_rules(manifest: Mapping[str, Any], file: str) -> list[Problem]:
    """Return a warning when the rules of counting are not those that made the package."""
    if manifest["code_sha256"] == code_digest():
        return []
    message = Text(
        f"核查包由 zerofactory {manifest['code_version']} 生成, 本程序为 {zerofactory.__version__}, 计算规则的代码不同。",
        f"The package was made by zerofactory {manifest['code_version']}, this is {zerofactory.__version__}; the rules differ.",
    )
    hint = Text("若有差异, 请用生成它的版本再核验一次。", "If anything differs, verify with the version that made it.")
    return [Problem("package.other_rules", message, hint, file=file, severity="warning")]


_ASK_AGAIN = Text("请向出具方重新索取, 并核对其公钥指纹。", "Ask for it again and compare the signer's fingerprint.")


def _differs(member: str, message: Text) -> Problem:
    return Problem("package.differs", message, Text("请向出具方查询。", "Ask who made the package."), column=member)


def _unreadable(what: str) -> Problem:
    message = Text(f"核查包读不了({what})。", f"The package cannot be read: {what}.")
    return Problem("package.unreadable", message, _ASK_AGAIN)


def _not_a_package() -> Problem:
    message = Text("不是完好的核查包。", "This is not a sound verification package.")
    return Problem("package.not_a_package", message, Text("请用 zf package 生成。", "Make one with zf package."))


def _other_columns(table: str) -> Problem:
    message = Text(f"表 {table} 的列与本程序不同。", f"Table {table} has other columns than this program knows.")
    hint = Text("请用生成它的版本核验。", "Verify with the version that made the package.")
    return Problem("package.other_columns", message, hint, column=f"facts/{table}.jsonl")
