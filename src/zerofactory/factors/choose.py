"""Choose one factor for a role, an item, a place and a day — and say why. Never a silent fallback.

What is asked first decides: a pin of the plant, otherwise the usable factors of exactly this role and item. Usable is
a factor that held by the activity day, was published by the day of knowing, is of the right place and belongs to a set
that the plant uses. Of those the narrowest place wins, then the newest factor year. Two that are equally good, or none
at all, is a question to the plant (`Unresolved` lists the choices), never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from zerofactory.errors import Problem, Text
from zerofactory.factors import explain
from zerofactory.factors.model import Factor, FactorBook, Found, Unresolved
from zerofactory.factors.scope import Scope
from zerofactory.factors.vocabulary import Role, at_level, canonical, chain, item_title, role, trace_item

_DEFAULT_ITEM = {"grid": "electricity", "heat": "heat"}


@dataclass(frozen=True, slots=True)
class _Ask:
    """One question, made whole: the role's rules and the canonical item."""

    role: Role
    item: str | None
    gas: str | None
    scope: Scope


def find(book: FactorBook, role_name: str, scope: Scope, item: str | None = None, gas: str | None = None) -> Found:
    """Return the factor for a role, with the reason a verifier can follow.

    Parameters
    ----------
    book : FactorBook
    role_name : str
        What the factor is for, e.g. ``grid.average`` or ``fuel.ncv``; a factor of another role is never chosen.
    scope : Scope
    item : str, optional
        What it is of, e.g. ``natural_gas`` or any listed spelling (``天然气``, ``R-134a``). Electricity and heat may be
        left out for ``grid.*`` and ``heat.*``.
    gas : str, optional
        Narrows the choice to factors of one gas.

    Raises
    ------
    Unresolved
        No factor, or more than one, or one that the plant must first accept; ``problem`` lists the choices.
    NotFound
        The role or the region does not exist.

    Examples
    --------
    The same month, asked on two days (announcement 2025 No.47 came out on 2025-12-31):

    >>> from zerofactory.factors.load import factor_book
    >>> shanghai = Scope("CN-上海", date(2025, 6, 30), known_at=date(2026, 1, 15))
    >>> find(factor_book(), "grid.average", shanghai).factor.value
    0.5737
    >>> earlier = Scope("CN-上海", date(2025, 6, 30), known_at=date(2025, 6, 1))
    >>> find(factor_book(), "grid.average", earlier).factor.id
    'cn.grid.prov.shanghai.2022'
    """
    rules = role(role_name)
    named = canonical(item) if item is not None else _DEFAULT_ITEM.get(role_name.partition(".")[0])
    ask = _Ask(rules, named, gas, scope)
    pin = scope.pins.get(f"{role_name}:{named}") or scope.pins.get(role_name)
    if pin is not None:
        return _accept(_pinned(book, ask, *pin), scope)
    near = _in_places(book, ask)
    usable = [factor for factor in near if _usable(book, ask, factor)]
    ranked = _narrowest(_first_family(book, ask, usable), scope.region)
    if not ranked:
        raise _none(book, ask, near)
    newest = max((factor.valid_from or date.min, factor.published_on or date.min) for factor in ranked)
    best = [f for f in ranked if (f.valid_from or date.min, f.published_on or date.min) == newest]
    if len(best) > 1:
        raise _unresolved(ask, "ambiguous", explain.AMBIGUOUS, best)
    return _accept(Found(best[0], explain.reason(book, best[0], scope, near)), scope)


def require_tables(book: FactorBook, scope: Scope) -> None:
    """Raise `Unresolved` when ``fuel_sets`` names a table that does not exist: a slip must not change the choice."""
    unknown = [family for family in scope.fuel_sets if family not in book.families]
    if unknown:
        raise Unresolved(explain.unknown_table(unknown[0], book.families), book.families)


def _candidates(book: FactorBook, ask: _Ask) -> tuple[Factor, ...]:
    found = (
        book.by_role.get(ask.role.id, ()) if ask.item is None else book.by_role_item.get((ask.role.id, ask.item), ())
    )
    return tuple(factor for factor in found if factor.gas == ask.gas) if ask.gas else found


def _in_places(book: FactorBook, ask: _Ask) -> list[Factor]:
    """Return the candidates of the places that the role's rule allows around the plant."""
    region = ask.scope.region
    if ask.role.place == "level":
        places: tuple[str | None, ...] = (at_level(region, ask.scope.grid_level),)
    elif ask.role.place == "nation":
        places = (at_level(region, "nation"),)
    else:
        places = (*chain(region), "*")
    if ask.item is None or ask.role.place == "any":
        return [f for f in _candidates(book, ask) if ask.role.place == "any" or f.region in places]
    listed = (book.by_place.get((ask.role.id, ask.item, place), ()) for place in places if place is not None)
    return [factor for factors in listed for factor in factors if ask.gas is None or factor.gas == ask.gas]


def _usable(book: FactorBook, ask: _Ask, factor: Factor) -> bool:
    factor_set = book.sets[factor.set_id]
    allowed = factor_set.by_default or factor_set.family in ask.scope.fuel_sets
    chosen = factor.extra.get("choice") != "alternative"
    return allowed and chosen and factor.holds_by(ask.scope.on) and factor.known_on(ask.scope.known_at)


def _first_family(book: FactorBook, ask: _Ask, usable: list[Factor]) -> list[Factor]:
    if not ask.role.ranked:
        return usable
    require_tables(book, ask.scope)
    for family in ask.scope.fuel_sets:
        listed = [factor for factor in usable if book.sets[factor.set_id].family == family]
        if listed:
            return listed
    return []


def _narrowest(factors: list[Factor], region: str) -> list[Factor]:
    for place in chain(region):
        listed = [factor for factor in factors if factor.region == place]
        if listed:
            return listed
    return factors


def _pinned(book: FactorBook, ask: _Ask, factor_id: str, reason: str) -> Found:
    """Return the factor that the plant pinned, if the rules of its role and its dates allow it."""
    factor = book.by_id.get(factor_id)
    if factor is None:
        raise _unresolved(ask, "pin_unknown", explain.pin_unknown(factor_id), around(_candidates(book, ask), ask.scope))
    if factor.role != ask.role.id and factor.role not in ask.role.pin_also:
        raise _unresolved(
            ask, "pin_role", explain.pin_role(factor, ask.role), around(_candidates(book, ask), ask.scope)
        )
    if ask.item is not None and factor.item not in (ask.item, trace_item(ask.item)):
        raise _unresolved(
            ask, "pin_item", explain.pin_item(factor, ask.item), around(_candidates(book, ask), ask.scope)
        )
    if not factor.holds_by(ask.scope.on) or not factor.known_on(ask.scope.known_at):
        raise _unresolved(ask, "pin_time", explain.pin_time(factor, ask.scope.on, ask.scope.known_at), (factor,))
    return Found(factor, explain.pinned(book, factor, ask.scope, reason))


def _accept(found: Found, scope: Scope) -> Found:
    """Refuse a low-confidence factor when closing, unless the plant accepted it by name; say so when it did."""
    factor = found.factor
    if factor.confidence != "low":
        return found
    accepted = scope.accepted.get(factor.id)
    if accepted is not None:
        return Found(factor, explain.join((found.reason, explain.accepted(accepted))), found.power)
    if scope.closing:
        raise Unresolved(explain.low_confidence(factor), (factor.id,))
    return Found(factor, explain.join((found.reason, explain.doubtful(factor))), found.power)


def _none(book: FactorBook, ask: _Ask, placed: Sequence[Factor]) -> Unresolved:
    """Say what stood in the way: no such factor, the set, the place, or the time."""
    candidates = _candidates(book, ask)
    if not candidates:
        others = [f for name in sorted(ask.role.pin_also) for f in book.by_role_item.get((name, ask.item or ""), ())]
        return _unresolved(ask, "none", explain.NONE, others)
    if not placed:
        fact = explain.no_place(ask.scope.region, ask.scope.grid_level if ask.role.place == "level" else None)
        return _unresolved(ask, "no_place", fact, around(candidates, ask.scope))
    families = {book.sets[factor.set_id].family for factor in placed}
    if ask.role.ranked and not families & set(ask.scope.fuel_sets):
        return _unresolved(ask, "no_set", explain.no_set(ask.scope.fuel_sets, sorted(families)), placed)
    timely = [f for f in placed if f.holds_by(ask.scope.on) and f.known_on(ask.scope.known_at)]
    if not timely:
        return _unresolved(ask, "no_time", explain.no_time(ask.scope.on, ask.scope.known_at), placed)
    return _unresolved(ask, "only_named", explain.ONLY_NAMED, timely)


def around(candidates: Iterable[Factor], scope: Scope) -> list[Factor]:
    """Return the candidates of the wider places around a plant, newest first; of all places when there are none."""
    places = chain(scope.region)
    known = [factor for factor in candidates if factor.holds_by(scope.on) and factor.known_on(scope.known_at)]
    near = [factor for factor in known if factor.region in places]
    return sorted(near or known, key=lambda factor: factor.valid_from or date.min, reverse=True)


def _unresolved(ask: _Ask, code: str, fact: Text, choices: Iterable[Factor]) -> Unresolved:
    listed = tuple(choices)
    name = item_title(ask.item) if ask.item is not None else Text("", "")
    problem = Problem(
        code=f"factors.{code}",
        message=Text(
            f"{name.zh}“{ask.role.title.zh}”({ask.role.id})无法确定: {fact.zh}",
            f"{ask.role.title.en} ({ask.role.id}){f' of {name.en}' if name.en else ''} cannot be decided: {fact.en}",
        ),
        hint=explain.hint(ask.role.id, ask.item, listed),
    )
    return Unresolved(problem, tuple(factor.id for factor in listed))
