"""Solve a file of the carbon-aware flow-shop set: search, bound or proof, and the check's own count of the emissions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zerofactory.errors import refuse
from zerofactory.notation import text_of
from zerofactory.optimisation.scheduling.cas_file import parse
from zerofactory.optimisation.scheduling.flow_check import check
from zerofactory.optimisation.scheduling.flow_exact import bound, is_exact, prove
from zerofactory.optimisation.scheduling.flow_faults import faults
from zerofactory.optimisation.scheduling.flow_plan import as_orders, measures
from zerofactory.optimisation.scheduling.flow_search import Effort, search
from zerofactory.optimisation.scheduling.flow_shop import FlowPlan
from zerofactory.optimisation.solving.result import gap_fraction


@dataclass(frozen=True, slots=True)
class CasResult:
    """The plan of an instance; it passed its check, whose figures these are."""

    name: str
    plan: FlowPlan
    carbon_gco2e: float
    cost: float
    makespan_slots: int
    bound: float
    is_optimal: bool
    moves: int
    runtime_s: float

    @property
    def gap(self) -> float:
        """How far the plan may be from the best, as a share of it."""
        return 0.0 if self.is_optimal else gap_fraction(self.carbon_gco2e, self.bound)

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "name": self.name, "carbon_gco2e": self.carbon_gco2e, "cost": self.cost, "makespan_slots": self.makespan_slots,
            "bound": self.bound, "is_optimal": self.is_optimal, "gap_fraction": self.gap, "order": list(self.plan.order),
            "visits": as_orders(self.plan), "moves": self.moves, "runtime_s": round(self.runtime_s, 3), "check_passed": True,
        }  # fmt: skip


def run(file: Path, moves: int = 20_000, seconds: float | None = None, proof_s: float = 0.0) -> CasResult:
    """Return the best plan found, with a bound; on one machine and with time for it, proved.

    Raises
    ------
    FaultyData
        The file is no instance, or the plan failed its check.
    """
    return solve(text_of(file.read_bytes(), file.name), file.name, moves, seconds, proof_s)


def solve(text: str, name: str, moves: int, seconds: float | None, proof_s: float) -> CasResult:
    """Return the same for the text of an instance."""
    problem = parse(text, name)
    refuse(faults(problem))
    found = search(problem, Effort(moves, seconds))
    plan, is_optimal = found.plan, False
    if proof_s > 0.0 and is_exact(problem):
        proof = prove(problem, proof_s, plan)
        plan = proof.plan if proof.plan is not None and proof.objective <= found.objective else plan
        low, is_optimal = proof.bound, proof.is_optimal
    else:
        low = bound(problem).bound
    own = measures(problem, plan)
    judged = check(problem, plan, own.carbon_gco2e, own.cost_cny)
    refuse(judged.problems)
    return CasResult(name, plan, judged.carbon_gco2e, judged.cost_cny, own.makespan_slots, low, is_optimal, found.moves, found.runtime_s)  # fmt: skip
