"""Rules of instruments, as data (`rules.csv`): which kinds and uses they bind, what is tested, and where they are from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from zerofactory.errors import Misuse, NotFound, Problem, Text

Use = Literal["scope2_market", "neutrality", "ets_compliance", "product_claim"]
USES: Mapping[str, Text] = {
    "scope2_market": Text("范围二(基于市场)覆盖外购电", "scope 2, market-based"),
    "neutrality": Text("碳中和抵消", "offset in a neutrality claim"),
    "ets_compliance": Text("碳市场履约", "compliance under the ETS"),
    "product_claim": Text("产品主张", "claim of a product"),
}
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``test`` names what is tested (empty: only told), ``value`` its number or list, ``clause`` its citation."""

    id: str
    kinds: tuple[str, ...]
    uses: tuple[str, ...]
    mandatory: bool
    test: str
    value: str
    unit: str
    text: Text
    clause: str
    source_ref: str
    status: str

    def binds(self, kind_id: str, use: str) -> bool:
        """Whether the rule binds a kind of instrument in a use."""
        return (EVERY in self.kinds or kind_id in self.kinds) and (EVERY in self.uses or use in self.uses)

    @property
    def number(self) -> float:
        """The value as a number."""
        try:
            return float(self.value)
        except ValueError as error:
            raise Misuse(f"rule {self.id} states no number") from error

    @property
    def listed(self) -> tuple[str, ...]:
        """The value as a list."""
        return tuple(part for part in self.value.split(";") if part)

    def refusal(self, subject: str, zh: str = "", en: str = "") -> Problem:
        """Return the problem of something that breaks this rule, with its text and citation."""
        more = (f" {zh}" if zh else "", f" {en}" if en else "")
        message = Text(
            f"{subject}:{more[0]} {self.text.zh} [{self.clause}]", f"{subject}:{more[1]} {self.text.en} [{self.clause}]"
        )
        hint = Text(
            f"规则 {self.id}, 来源状态 {self.status}。", f"Rule {self.id}, status of its source: {self.status}."
        )
        return Problem(f"instruments.{self.id.removeprefix('inst.')}", message, hint)


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Rule]:
    """Return every rule by id."""
    text = (files("zerofactory.instruments") / "rules.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["id"]: _rule(row) for row in csv.DictReader(text.splitlines())})


def _rule(row: Mapping[str, str]) -> Rule:
    return Rule(
        row["id"], tuple(row["kinds"].split(";")), tuple(row["uses"].split(";")), row["kind"] == "mandatory",
        row["test"], row["value"], row["unit"], Text(row["text_zh"], row["text_en"]), row["clause"],
        row["source_ref"], row["status"],
    )  # fmt: skip


def rule(rule_id: str) -> Rule:
    """Return one rule; raise `NotFound` with the choices."""
    found = rules().get(rule_id)
    if found is None:
        raise NotFound(Text("权益规则", "rule of instruments"), rule_id, tuple(rules()))
    return found


def use_of(name: str) -> str:
    """Return a use by name; raise `NotFound` with the choices."""
    if name not in USES:
        raise NotFound(Text("用途", "use"), name, tuple(USES))
    return name
