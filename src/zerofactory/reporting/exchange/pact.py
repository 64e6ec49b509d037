"""PACT product footprints as JSON: strict reading of 3.0, reading of 2.x in the terms of 3.0, and writing.

A file may hold one footprint, a list, the answer of a data exchange (``{"data": …}``) or a RequestFulfilled event. Nothing in
it is guessed: an unknown key, a missing one or a wrong value is a problem with its path, and all are told together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import json_of
from zerofactory.reporting.exchange.pact_faults import faults_of, problem
from zerofactory.reporting.exchange.pact_model import ProductFootprint
from zerofactory.reporting.exchange.pact_terms import moment
from zerofactory.reporting.exchange.pact_v2 import Footprint2, upgraded

SPEC_VERSION = "3.0.0"
Path = tuple[str | int, ...]
_SUM_TOLERANCE = Decimal("0.005")
_REMOVED = {"version": 1, "updated": None}


@dataclass(frozen=True, slots=True)
class Entry:
    """One footprint read: where it stood, what it says in the terms of 3.0, the version it came in, and what was lost."""

    path: Path
    footprint: ProductFootprint
    spec_version: str
    losses: tuple[Text, ...] = ()


def read(content: bytes, file: str | None = None) -> tuple[list[Entry], list[Problem]]:
    """Return the footprints of a PACT file that are sound, and every fault and warning of the others.

    A 2.x footprint comes back in the terms of 3.0, with one warning for each thing that changed or was lost.
    """
    value, problems = parsed(content)
    entries: list[Entry] = []
    if not problems:
        found, problems = _footprints(value)
        for path, raw in found:
            entry, faults = read_one(raw, path)
            problems += faults
            entries += [entry] if entry is not None else []
        problems += _twice(entries)
    return entries, [fault.at(file=file) for fault in problems]


def write(footprints: Sequence[ProductFootprint]) -> str:
    """Return one footprint as a JSON object, several as ``{"data": [..]}``: UTF-8, two spaces, a line feed at the end."""
    plain = [footprint.as_json() for footprint in footprints]
    value = plain[0] if len(plain) == 1 else {"data": plain}
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def parsed(content: bytes) -> tuple[Any, list[Problem]]:
    """Return JSON as plain values; a repeated key, NaN and Infinity are faults."""
    try:
        return json_of(content, None, "pact.not_json", as_is=True), []
    except FaultyData as fault:
        return None, list(fault.problems)


def _footprints(value: Any) -> tuple[list[tuple[Path, Any]], list[Problem]]:
    """Return the footprint objects inside whatever wraps them, each with its path."""
    path: Path = ()
    if isinstance(value, dict) and "pcf" not in value and "data" in value:
        value, path = value["data"], ("data",)
        if isinstance(value, dict) and "pfs" in value:
            value, path = value["pfs"], ("data", "pfs")
    if isinstance(value, list) and value:
        return [((*path, position), entry) for position, entry in enumerate(value)], []
    if isinstance(value, dict):
        return [(path, value)], []
    message = Text("里面没有产品碳足迹。", "There is no product footprint in it.")
    hint = Text(
        "应为一个 ProductFootprint 对象, 或含 data 列表。", "Give one ProductFootprint object, or a list under data."
    )
    return [], [problem("nothing", message, hint, path)]


def read_one(raw: Any, path: Path = ()) -> tuple[Entry | None, list[Problem]]:
    """Return one footprint from plain JSON values, or None with its faults."""
    if not isinstance(raw, dict):
        return None, [problem("wrong_type", Text("应为对象 {..}。", "Should be an object {..}."), Text("", ""), path)]
    if "scopeOfPcfForm" in raw or str(raw.get("specVersion", "")).startswith("urn:io.catenax"):
        message = Text(
            "这是 Catena-X 的碳足迹格式, 不是 PACT。", "This is a footprint in the form of Catena-X, not of PACT."
        )
        hint = Text("请对方按 PACT 3.0 或 2.x 导出。", "Ask for PACT 3.0 or 2.x.")
        return None, [problem("catena_x", message, hint, path)]
    version = raw.get("specVersion")
    major = version.split(".")[0] if isinstance(version, str) else ""
    raw, notes = _without_null(raw, path)
    if major == "2":
        return _read_two(raw, path, notes)
    if major not in ("3", ""):
        message = Text(f"不支持 PACT 版本“{version}”。", f"PACT version '{version}' is not supported.")
        return None, [
            problem(
                "version", message, Text("请对方按 3.0 或 2.x 导出。", "Ask for 3.0 or 2.x."), (*path, "specVersion")
            )
        ]
    raw, more = _mended(raw, path)
    return _validated(raw, path, str(version), (), notes + more)


def _read_two(raw: dict[str, Any], path: Path, notes: list[Problem]) -> tuple[Entry | None, list[Problem]]:
    try:
        made, losses = upgraded(Footprint2.model_validate(raw))
    except ValidationError as error:
        return None, notes + faults_of(error, path)
    hint = Text("原文件作为凭证保留。", "The file itself is kept as evidence.")
    told = [
        problem("changed", Text(f"由 2.x 转为 3.0: {loss.zh}", f"From 2.x to 3.0: {loss.en}"), hint, path, "warning")
        for loss in losses
    ]
    return _validated(made, path, str(raw["specVersion"]), tuple(losses), notes + told)


def _validated(
    raw: dict[str, Any], path: Path, version: str, losses: tuple[Text, ...], notes: list[Problem]
) -> tuple[Entry | None, list[Problem]]:
    try:
        footprint = ProductFootprint.model_validate(raw)
    except ValidationError as error:
        return None, notes + faults_of(error, path)
    lost = tuple(note.message for note in notes if note.code in ("pact.null", "pact.removed_key", "pact.moved_key"))
    return Entry(path, footprint, version, (*losses, *lost)), notes + _doubts(footprint, path)


def _without_null(raw: dict[str, Any], path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Return the object without null values: absent and null mean the same. Data of extensions are left alone."""
    kept: dict[str, Any] = {}
    notes: list[Problem] = []
    for key, value in raw.items():
        if value is None:
            message = Text(f"“{key}”为 null, 按未填处理。", f"'{key}' is null and counts as absent.")
            notes.append(problem("null", message, Text("无需处理。", "Nothing to do."), (*path, key), "warning"))
        elif isinstance(value, dict) and key != "extensions":
            kept[key], inner = _without_null(value, (*path, key))
            notes += inner
        else:
            kept[key] = value
    return kept, notes


def _mended(raw: dict[str, Any], path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Return the object without the keys 3.0 took out, and with the one key that published samples misplace moved home."""
    notes: list[Problem] = []
    kept = dict(raw)
    for key, only in _REMOVED.items():
        if key in kept and (only is None or kept[key] == only):
            message = Text(
                f"“{key}”= {kept.pop(key)} 在 3.0 已取消, 略去。", f"'{key}' is no key of 3.0 and was left out."
            )
            notes.append(problem("removed_key", message, Text("无需处理。", "Nothing to do."), (*path, key), "warning"))
    carbon = kept.get("pcf")
    rules = carbon.get("productOrSectorSpecificRules") if isinstance(carbon, dict) else None
    if isinstance(carbon, dict) and "otherOperatorName" in carbon and isinstance(rules, list) and len(rules) == 1:
        rule = rules[0]
        if isinstance(rule, dict) and rule.get("operator") == "Other" and "otherOperatorName" not in rule:
            moved = {**rule, "otherOperatorName": carbon["otherOperatorName"]}
            rest = {key: value for key, value in carbon.items() if key != "otherOperatorName"}
            kept["pcf"] = {**rest, "productOrSectorSpecificRules": [moved]}
            message = Text(
                "“otherOperatorName”应在规则内, 已移入。",
                "'otherOperatorName' belongs inside the rule and was moved there.",
            )
            notes.append(
                problem(
                    "moved_key",
                    message,
                    Text("无需处理。", "Nothing to do."),
                    (*path, "pcf", "otherOperatorName"),
                    "warning",
                )
            )
    return kept, notes


def _doubts(footprint: ProductFootprint, path: Path) -> list[Problem]:
    """Return warnings: the parts do not add up, an operator without a name, valid before it was measured."""
    pcf, doubts = footprint.pcf, []
    whole = Decimal(pcf.pcf_excluding_biogenic_uptake)
    if abs(pcf.stated_sum - whole) > _SUM_TOLERANCE * max(abs(whole), abs(pcf.stated_sum)):
        message = Text(
            f"各组成之和 {pcf.stated_sum} 与 pcfExcludingBiogenicUptake {whole} 不符。",
            f"The parts add up to {pcf.stated_sum}, pcfExcludingBiogenicUptake is {whole}.",
        )
        doubts.append(
            problem(
                "sum",
                message,
                Text("请与提供方核对。", "Check with the supplier."),
                (*path, "pcf", "pcfExcludingBiogenicUptake"),
                "warning",
            )
        )
    including = whole + Decimal(pcf.biogenic_co2_uptake or "0")
    stated = Decimal(pcf.pcf_including_biogenic_uptake)
    if abs(including - stated) > _SUM_TOLERANCE * max(abs(including), abs(stated)):
        message = Text(
            f"不含值加生物吸收为 {including}, pcfIncludingBiogenicUptake 为 {stated}。",
            f"Without uptake plus uptake is {including}, pcfIncludingBiogenicUptake is {stated}.",
        )
        doubts.append(
            problem(
                "sum",
                message,
                Text("请与提供方核对。", "Check with the supplier."),
                (*path, "pcf", "pcfIncludingBiogenicUptake"),
                "warning",
            )
        )
    for position, rule in enumerate(pcf.product_or_sector_specific_rules or []):
        if rule.operator == "Other" and rule.other_operator_name is None:
            message = Text(
                "operator 为 Other 时应写 otherOperatorName。",
                "An operator 'Other' should name itself in otherOperatorName.",
            )
            place = (*path, "pcf", "productOrSectorSpecificRules", position)
            doubts.append(problem("operator", message, Text("请补上名称。", "Add the name."), place, "warning"))
    start = footprint.validity_period_start
    if start is not None and moment(start) < moment(pcf.reference_period_end):
        message = Text("有效期早于数据期结束。", "It is valid before its reference period ends.")
        doubts.append(
            problem(
                "early",
                message,
                Text("请与提供方核对。", "Check with the supplier."),
                (*path, "validityPeriodStart"),
                "warning",
            )
        )
    return doubts


def _twice(entries: Sequence[Entry]) -> list[Problem]:
    seen: dict[str, Entry] = {}
    problems = []
    for entry in entries:
        key = entry.footprint.id.lower()
        if key in seen and seen[key].footprint != entry.footprint:
            message = Text(
                f"id {entry.footprint.id} 出现两次且内容不同。",
                f"The id {entry.footprint.id} stands twice with different content.",
            )
            problems.append(
                problem(
                    "repeated_id",
                    message,
                    Text("3.0 中每次变更都应用新 id。", "In 3.0 every change gets a new id."),
                    (*entry.path, "id"),
                )
            )
        seen.setdefault(key, entry)
    return problems
