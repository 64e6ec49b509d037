"""The plant file changed through a door: checked like any other, written whole, every version kept and in the journal.

What is written is the ``factory.toml`` that every command reads; a person may go on editing it by hand. A version that was
written by hand is kept as well, as soon as it is changed here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from zerofactory.errors import FaultyData, NotFound, Problem, Text, errors_of
from zerofactory.notation import text_of, toml_of
from zerofactory.runs.context import Context, run_row
from zerofactory.site.edit import with_entries, with_table
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.schema import ACTIVITIES, RUNS
from zerofactory.store.workspace import PLANT_FILE, Workspace, read_plant

KIND = "plant"
LISTS = ("shops", "lines", "products", "meters", "sources")
CHOICES = ("accounting.accept", "accounting.pin")
TABLES = ("plant", "organisation", "calendar")
PARTS: Mapping[str, Text] = {
    "template": Text("由模板新建", "begun from a template"),
    "plant": Text("工厂", "plant"),
    "organisation": Text("组织", "organisation"),
    "calendar": Text("日历", "calendar"),
    "shops": Text("车间", "shops"),
    "lines": Text("生产线", "lines"),
    "products": Text("产品", "products"),
    "meters": Text("表计", "meters"),
    "sources": Text("排放源", "sources"),
    "accounting.accept": Text("接受的因子", "factors accepted"),
    "accounting.pin": Text("固定的因子", "factors pinned"),
    "file": Text("整份文件", "the whole file"),
    "by hand": Text("手工修改", "changed by hand"),
}


@dataclass(frozen=True, slots=True)
class Saved:
    """What a change of the plant file came to."""

    part: str
    sha256: str
    changed: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        warnings = [problem.as_json() for problem in self.warnings]
        return {"part": self.part, "sha256": self.sha256, "changed": list(self.changed), "problems": warnings}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the plant file, by the hash under which it is kept."""

    seq: int
    at: str
    actor: str
    part: str
    changed: tuple[str, ...]
    sha256: str

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"seq": self.seq, "at": self.at, "actor": self.actor, "part": self.part,
                "changed": list(self.changed), "sha256": self.sha256}  # fmt: skip


def show(context: Context) -> dict[str, Any]:
    """Return the plant file as plain values, and the hash that a change must name as the version it was made from."""
    content = (context.workspace.folder / PLANT_FILE).read_bytes()
    document = toml_of(_readable(content), PLANT_FILE)
    return {"sha256": hashlib.sha256(content).hexdigest(), "document": json.loads(json.dumps(document, default=str))}


def entries(context: Context, part: str) -> list[dict[str, Any]]:
    """Return the entries of one list as they stand in the file."""
    _refuse_unknown(part)
    return _of(_readable((context.workspace.folder / PLANT_FILE).read_bytes()), part)


def save_list(context: Context, part: str, wanted: Sequence[Mapping[str, Any]], based_on: str | None = None) -> Saved:
    """Write the entries of one list (shops, meters, sources …) as wanted.

    Parameters
    ----------
    based_on : str, optional
        Hash of the file from which the entries were taken; refused when the file has changed since.

    Raises
    ------
    FaultyData
        With every fault of the file as it would be; nothing has been written.
    """
    _refuse_unknown(part)
    return _write(context, part, lambda text: with_entries(text, part, wanted), based_on)


def save_table(context: Context, part: str, values: Mapping[str, Any], based_on: str | None = None) -> Saved:
    """Write the keys of one table (plant, organisation, calendar); what is not named stays, None takes a key away."""
    if part not in TABLES:
        raise NotFound(Text("工厂文件的部分", "part of the plant file"), part, (*TABLES, *LISTS, *CHOICES))

    def changed(text: str) -> str:
        given = toml_of(text, PLANT_FILE).get(part, {})
        return with_table(text, part, {**given, **values})

    return _write(context, part, changed, based_on)


def put(context: Context, part: str, entry: Mapping[str, Any], replaces: str | None = None) -> Saved:
    """Add one entry to a list, or put it in the place of the one named ``replaces``."""
    _refuse_unknown(part)

    def changed(text: str) -> str:
        there = _of(text, part)
        names = [one.get("id") for one in there]
        if replaces is not None and replaces not in names:
            raise NotFound(PARTS[part], replaces, tuple(str(name) for name in names))
        wanted = [entry if replaces is not None and one.get("id") == replaces else one for one in there]
        return with_entries(text, part, wanted if replaces is not None else [*there, entry])

    return _write(context, part, changed, None)


def remove(context: Context, part: str, name: str) -> Saved:
    """Take one entry out of a list; raise `FaultyData` when the book rests on it."""
    _refuse_unknown(part)

    def changed(text: str) -> str:
        there = _of(text, part)
        if name not in [one.get("id") for one in there]:
            raise NotFound(PARTS[part], name, tuple(str(one.get("id")) for one in there))
        return with_entries(text, part, [one for one in there if one.get("id") != name])

    return _write(context, part, changed, None)


def apply(context: Context, text: str, based_on: str | None = None) -> Saved:
    """Write a whole plant file in place of the present one, for instance an earlier version."""
    _readable(text.encode(errors="replace"))
    return _write(context, "file", lambda _: text, based_on)


def confirm(context: Context, part: str) -> Saved:
    """Note in the journal that one part of the file was looked through and left as it is."""
    return _write(context, part, lambda text: text, None)


def versions(context: Context) -> list[Version]:
    """Return the versions of the plant file that the journal knows, oldest first."""
    found = []
    for entry in context.workspace.journal.entries():
        if entry.kind == KIND:
            told = json.loads(entry.payload)
            changed = tuple(told.get("changed", ()))
            found.append(Version(entry.seq, entry.at, entry.actor, told["part"], changed, told["sha256"]))
    return found


def version_text(context: Context, sha256: str) -> str:
    """Return the text of one version; raise `NotFound` when it is not kept."""
    if sha256 not in {version.sha256 for version in versions(context)}:
        raise NotFound(Text("工厂文件版本", "version of the plant file"), sha256)
    return context.workspace.evidence.find(sha256).read_text(encoding="utf-8")


def record(context: Context, part: str, content: bytes, changed: Sequence[str]) -> str:
    """Keep a version of the plant file and note it in the journal; return its hash."""
    digest = hashlib.sha256(content).hexdigest()
    workspace = context.workspace
    workspace.evidence.keep(content, digest, ".toml")
    with workspace.journal.writing(at=context.at, kind=KIND, actor=context.actor) as writer:
        writer.append(RUNS, run_row(KIND, context, {"part": part}, digest, list(changed)))
        writer.payload = {"part": part, "sha256": digest, "changed": list(changed)}
    return digest


def _write(context: Context, part: str, change: Callable[[str], str], based_on: str | None) -> Saved:
    """Change the file under the writer's lock: read, change, check, keep, write whole, note."""
    workspace = context.workspace
    with workspace.locked():
        before = (workspace.folder / PLANT_FILE).read_bytes()
        was = hashlib.sha256(before).hexdigest()
        if based_on is not None and based_on != was:
            raise FaultyData([_changed_since()])
        text = _readable(before)
        try:
            wanted = change(text)
            content = wanted.encode()
        except (TypeError, ValueError, RecursionError) as error:  # a value TOML does not know, or half a character
            raise FaultyData([_unwritable(part)]) from error
        plant, problems = load_plant(wanted, PLANT_FILE)
        if plant is None or errors_of(problems):
            raise FaultyData(problems)
        faults = _taken_away(workspace, text, plant)
        if faults:
            raise FaultyData(faults)
        if was not in {version.sha256 for version in versions(context)[-1:]}:
            record(context, "by hand", before, ())
        if content != before:
            write_bytes_whole(workspace.folder / PLANT_FILE, content)
        digest = record(context, part, content, _differences(text, wanted))
    return Saved(part, digest, _differences(text, wanted), tuple(problems))


def held_names(workspace: Workspace) -> dict[str, dict[str, Text]]:
    """Return ``{list: {id: what rests on it}}`` of entries that may not go: closed months, waiting readings, documents."""
    held: dict[str, dict[str, Text]] = {name: {} for name in LISTS}
    for digest, periods in workspace.seals().group_by("plant_sha256").agg(pl.col("period").max()).iter_rows():
        sealed = read_plant(text_of(workspace.evidence.find(digest).read_bytes(), PLANT_FILE))
        for name in LISTS:
            held[name].update({one.id: Text(f"封存的 {periods}", f"closed {periods}") for one in getattr(sealed, name)})
    booked = workspace.journal.active(ACTIVITIES, brought_by="import")["source_id"].unique()
    held["sources"].update({name: Text("已入账的凭证", "booked documents") for name in booked})
    waiting: set[str] = set()
    for segment in workspace.open_segments():
        waiting |= set(workspace.series.read([segment])["meter_id"].unique())
    held["meters"].update({name: Text("已导入的读数", "imported readings") for name in waiting})
    return held


def _taken_away(workspace: Workspace, before: str, after: Plant) -> list[Problem]:
    """Return a problem for every entry that the change takes away though the book rests on it."""
    gone = {
        part: {one.get("id") for one in _of(before, part)} - {one.id for one in getattr(after, part)} for part in LISTS
    }
    if not any(gone.values()):
        return []
    held, hint = held_names(workspace), Text(
        "请保留它; 停用的表计可从排放源里移出。", "Keep it; a meter out of use may be taken out of its source."
    )  # fmt: skip
    return [
        Problem(
            "plant.held",
            Text(f"“{name}”不能删除: {why.zh}用到它。", f"'{name}' cannot be removed: {why.en} rest on it."),
            hint,
            file=PLANT_FILE,
            column=f"{part}.{name}",
        )
        for part, names in gone.items()
        for name, why in held[part].items()
        if name in names
    ]


def _readable(content: bytes) -> str:
    """Return the text of a plant file; raise `FaultyData` when it is not TOML."""
    text = text_of(content, PLANT_FILE)
    toml_of(text, PLANT_FILE, "site.not_toml")
    return text


def _of(text: str, part: str) -> list[dict[str, Any]]:
    found: Any = toml_of(text, PLANT_FILE)
    for name in part.split("."):
        found = found.get(name, []) if isinstance(found, dict) else []
    return list(found)


def _differences(before: str, after: str) -> tuple[str, ...]:
    """Return what differs between two plant files: the tables, and of lists the ids that came, went or changed."""
    old, new = toml_of(before, PLANT_FILE), toml_of(after, PLANT_FILE)
    found: list[str] = []
    for part in (*old, *(name for name in new if name not in old)):
        was, now = old.get(part), new.get(part)
        if was == now:
            continue
        if part in LISTS:
            left = {str(one.get("id")): one for one in was or []}
            right = {str(one.get("id")): one for one in now or []}
            changed = [
                name for name in (*left, *(n for n in right if n not in left)) if left.get(name) != right.get(name)
            ]
            found += [f"{part}.{name}" for name in changed]
        found += [part] if part not in LISTS else []
    return tuple(found)


def _refuse_unknown(part: str) -> None:
    if part not in (*LISTS, *CHOICES):
        raise NotFound(Text("工厂文件的部分", "part of the plant file"), part, (*LISTS, *CHOICES, *TABLES))


def _unwritable(part: str) -> Problem:
    message = Text("有的值写不进工厂文件。", "A value cannot be written into the plant file.")
    hint = Text("用文字、数、真假、列表和表。", "Use text, numbers, true or false, lists and tables.")
    return Problem("plant.unwritable", message, hint, file=PLANT_FILE, column=part)


def _changed_since() -> Problem:
    return Problem(
        "plant.changed_since",
        Text("工厂文件刚被别人改过。", "The plant file has been changed by somebody else just now."),
        Text("请刷新后再改; 没有写入。", "Load it again and repeat; nothing was written."),
        file=PLANT_FILE,
    )
