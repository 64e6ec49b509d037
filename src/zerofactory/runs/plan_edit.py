"""Who does what, changed from a page: the plan file gets the new letters and holders, and is booked as a further version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import text_of
from zerofactory.planning.commitment import PLAN_FILE
from zerofactory.planning.edit import process_of, with_duties
from zerofactory.runs.context import Context
from zerofactory.runs.plan import SetPlan, current, set_plan


@dataclass(frozen=True, slots=True)
class Duties:
    """What is to hold from now on: process → role → letters (``R``, ``A``, ``C``, ``I``), role → holder, and why."""

    letters: Mapping[str, Mapping[str, str]]
    holders: Mapping[str, str]
    reason: str


def set_duties(context: Context, duties: Duties) -> SetPlan:
    """Change the RACI matrix and the holders of the roles; book the plan anew.

    Raises
    ------
    FaultyData
        Every process without exactly one that answers for it, an empty name, no reason, or a plan file with changes
        that were never set.
    """
    standing = current(context)
    faults: list[Problem] = []
    made = []
    for process in standing.plan.mechanism.processes:
        if process.id in duties.letters:
            try:
                made.append(process_of(process, duties.letters[process.id]))
            except FaultyData as fault:
                faults += fault.problems
    faults += [_problem("no_holder", f"角色“{role}”没有写负责人。", f"Role '{role}' has no holder.") for role, name in duties.holders.items() if not name.strip()]  # fmt: skip
    if not duties.reason.strip():
        faults.append(_problem("no_reason", "修改计划须说明原因。", "A change of the plan needs a reason."))
    place = context.workspace.folder / PLAN_FILE
    if place.is_file() and standing.version and text_of(place.read_bytes(), PLAN_FILE) != standing.content:
        faults.append(_problem("not_set", "plan.toml 有未登记的修改; 请先登记。", "plan.toml has changes that were not set yet; set them first."))  # fmt: skip
    if faults:
        raise FaultyData(faults)
    text = with_duties(standing.content, made, duties.holders)
    place.write_text(text, encoding="utf-8", newline="\n")
    return set_plan(context, None, duties.reason)


def _problem(code: str, zh: str, en: str) -> Problem:
    return Problem(f"planning.{code}", Text(zh, en), Text("请补齐后重试。", "Complete it and try again."))
