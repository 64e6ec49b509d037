"""Check a plant's way of asking before anything is asked: every slip at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from zerofactory.errors import NotFound, Problem, Text
from zerofactory.factors import explain
from zerofactory.factors.choose import around
from zerofactory.factors.gas import GWP_SETS
from zerofactory.factors.model import FactorBook
from zerofactory.factors.scope import Scope
from zerofactory.factors.vocabulary import region, regions, roles


def check(book: FactorBook, scope: Scope, gwp_set: str | None = None) -> list[Problem]:
    """Return every fault of a scope: region, fuel tables, pins and acceptances that name nothing or give no reason.

    A pin of a forbidden role is found here too, not only when it is first used.
    """
    problems = [
        *_region(scope),
        *(explain.unknown_table(family, book.families) for family in scope.fuel_sets if family not in book.families),
        *_pins(book, scope),
        *_accepted(book, scope),
    ]
    if gwp_set is not None and gwp_set not in GWP_SETS:
        listed = ", ".join(GWP_SETS)
        problems.append(
            _problem(
                "unknown_gwp_set",
                Text(f"没有GWP集“{gwp_set}”。", f"There is no GWP set '{gwp_set}'."),
                Text(f"可选: {listed}。", f"Choose one of: {listed}."),
                "accounting.gwp_set",
            )
        )
    return problems


def _region(scope: Scope) -> Iterator[Problem]:
    try:
        region(scope.region)
    except NotFound as error:
        problem = error.as_problem()
        yield _problem("unknown_region", problem.message, problem.hint, "plant.region")


def _pins(book: FactorBook, scope: Scope) -> Iterator[Problem]:
    for key, (factor_id, reason) in scope.pins.items():
        name = key.partition(":")[0]
        wanted = roles().get(name)
        factor = book.by_id.get(factor_id)
        if wanted is None:
            near = ", ".join(difflib.get_close_matches(name, list(roles()), n=6, cutoff=0.3))
            message = Text(f"没有因子用途“{name}”。", f"There is no factor role '{name}'.")
            yield _problem(
                "unknown_role", message, Text(f"可选: {near}。", f"Choose one of: {near}."), "accounting.pin"
            )
        elif factor is None:
            yield _unknown(book, factor_id, "accounting.pin")
        elif factor.role != name and factor.role not in wanted.pin_also:
            fact = explain.pin_role(factor, wanted)
            listed = book.by_role.get(name, ())
            near_by = around(listed, scope) if scope.region in regions() else listed
            hint = explain.hint(name, key.partition(":")[2] or None, near_by)
            yield _problem("pin_role", fact, hint, "accounting.pin")
        if not reason.strip():
            yield _no_reason(factor_id, "accounting.pin")


def _accepted(book: FactorBook, scope: Scope) -> Iterator[Problem]:
    for factor_id, reason in scope.accepted.items():
        if factor_id not in book.by_id:
            yield _unknown(book, factor_id, "accounting.accept")
        if not reason.strip():
            yield _no_reason(factor_id, "accounting.accept")


def _unknown(book: FactorBook, factor_id: str, column: str) -> Problem:
    near = ", ".join(difflib.get_close_matches(factor_id, list(book.by_id), n=5, cutoff=0.5))
    return _problem(
        "unknown_factor",
        Text(f"没有因子“{factor_id}”。", f"There is no factor '{factor_id}'."),
        Text(f"是否: {near}。", f"Perhaps: {near}.")
        if near
        else Text("用 zf factor find 查找。", "Look with zf factor find."),
        column,
    )


def _no_reason(factor_id: str, column: str) -> Problem:
    return _problem(
        "no_reason",
        Text(f"“{factor_id}”没有写理由。", f"'{factor_id}' has no reason."),
        Text("写明 reason,核查员会看到。", "Write the reason; the verifier will read it."),
        column,
    )


def _problem(code: str, message: Text, hint: Text, column: str) -> Problem:
    return Problem(code=f"factors.{code}", message=message, hint=hint, column=column)
