"""When nothing satisfies every wish: the smallest set that clashes, what each would have to become, and the nearest plan.

A wish is a row (or a family of rows) of the program that a person asked for, in words; physics is not a wish. Every wish gets
one elastic variable ``s ≥ 0``: how far it gives way, as a share of its own scale. A set of wishes can be met together when
the least sum of ``weight · s`` is zero. The smallest clashing set is found by the deletion filter: a wish without which the
others still clash is not part of it (Chinneck 2008, *Feasibility and Infeasibility in Optimization*, doi
10.1007/978-0-387-74932-7, ch. 6). The set is irreducible: take away any one of its wishes and the rest can be met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.solving.linear import INF, Block, Floats, LinearProgram, Solution
from zerofactory.optimisation.solving.result import SolveStatus
from zerofactory.optimisation.solving.solver import Options, solve

MET = 1e-4  # a wish that gives way by less is met: as fine as an interior point tells zero from nothing
EASED = 1e-5
TIGHT = 3e-9
BLAMED = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """Something asked for.

    Parameters
    ----------
    id : str
        The block of rows that says it.
    title : Text
        The wish in the words of who asked.
    bound, unit : float, str
        What was asked for, as it is shown.
    scale : float or array
        What a row's bound moves by when the wish gives way wholly (``s = 1``); its sign says in which direction.
    shown_scale : float
        What ``bound`` moves by when ``s = 1``.
    weight : float
        How dear it is to let it give way.
    measure : callable, optional
        Reads from the values of a program what the wish came to, where a share of the scale does not say it.
    """

    id: str
    title: Text
    bound: float
    unit: str
    scale: float | Floats
    shown_scale: float
    weight: float = 1.0
    measure: Callable[[Floats], float] | None = None

    def relaxed(self, share: float, x: Floats) -> float:
        """Return what the wish becomes when it gives way by a share, in an answer ``x``."""
        return self.measure(x) if self.measure is not None else self.bound + share * self.shown_scale


@dataclass(frozen=True, slots=True)
class Giving:
    """One wish of the smallest clashing set: what it would have to become if it alone gave way (None: alone it cannot)."""

    wish: Wish
    becomes: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """Why nothing satisfies the wishes.

    ``clashing`` is empty when not even giving up every wish helps: then the plant itself cannot be run as described. ``nearest``
    holds what each wish becomes in the plan that gives way least in all, and ``plan`` that plan at its least cost. ``is_none``:
    every wish can be met after all, within a ten-thousandth: a solver had got stuck, or the wishes lie on the very edge.
    """

    clashing: tuple[Giving, ...]
    nearest: Mapping[str, float]
    plan: Solution | None
    is_none: bool = False

    def sentence(self) -> Text:
        """Return the answer in one sentence."""
        if self.is_none:
            return Text(
                "要求恰在可行的边界上; 以万分之一的余地可以满足。",
                "What is asked lies on the very edge of what is possible; with a ten-thousandth of room it is met.",
            )
        if not self.clashing:
            return Text("即使放弃全部愿望, 该厂也无法运行。", "Even with every wish given up the plant cannot run.")
        zh = "; ".join(f"{one.wish.title.zh}({_shown(one.wish.bound)} {one.wish.unit})" for one in self.clashing)
        en = "; ".join(f"{one.wish.title.en} ({_shown(one.wish.bound)} {one.wish.unit})" for one in self.clashing)
        return Text(f"以下愿望不能同时满足: {zh}。", f"These wishes cannot be met together: {en}.")

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        sentence = self.sentence()
        return {
            "sentence": {"zh": sentence.zh, "en": sentence.en},
            "clashing": [
                {
                    "id": one.wish.id,
                    "title": {"zh": one.wish.title.zh, "en": one.wish.title.en},
                    "asked": one.wish.bound,
                    "would_have_to_become": one.becomes,
                    "unit": one.wish.unit,
                }
                for one in self.clashing
            ],
            "nearest": dict(self.nearest),
        }


def _shown(value: float) -> str:
    return f"{value:,.6g}"


def explain(program: LinearProgram, wishes: Sequence[Wish], options: Options | None = None) -> Conflict:
    """Return why a program with wishes has no answer.

    Parameters
    ----------
    program : LinearProgram
        Infeasible; for each wish it has a block of rows of that name.

    Examples
    --------
    A plant must make 10 units, may not spend more than 6, and each unit costs 1:

    >>> from zerofactory.optimisation.solving.linear import Draft
    >>> draft = Draft()
    >>> made = draft.add_columns("made", 1, cost=1.0)
    >>> for name, sense, bound in (("output", ">=", 10.0), ("budget", "<=", 6.0), ("space", "<=", 50.0)):
    ...     draft.put(draft.add_rows(name, 1, sense, bound), made, 1.0)
    >>> asked = [Wish("output", Text("产量", "output"), 10.0, "unit", -10.0, -10.0),
    ...          Wish("budget", Text("预算", "budget"), 6.0, "CNY", 6.0, 6.0),
    ...          Wish("space", Text("面积", "space"), 50.0, "m2", 50.0, 50.0)]
    >>> found = explain(draft.finish(), asked)
    >>> [(one.wish.id, round(one.becomes, 6)) for one in found.clashing]
    [('output', 6.0), ('budget', 10.0)]
    """
    options = replace(options or Options(), tolerance=TIGHT)
    soft = _elastic(program, wishes)
    least = _least(soft, wishes, {wish.id for wish in wishes}, options)
    if least is None:
        return Conflict((), {}, None)
    shares = {wish.id: max(0.0, float(least.value(_slack(wish))[0])) for wish in wishes}
    if max(shares.values(), default=0.0) <= MET:
        edge = dict.fromkeys(shares, MET)
        return Conflict((), {}, _plan(program, wishes, edge, options), is_none=True)
    clash = _smallest(soft, wishes, _blamed(program, wishes, least), options)
    plan = _plan(program, wishes, shares, options)
    reached = least if plan is None or not plan.report.status.has_answer else plan
    nearest = {wish.id: wish.relaxed(shares[wish.id], reached.x) for wish in wishes if shares[wish.id] > MET}
    clashing = tuple(
        Giving(wish, nearest[wish.id] if set(nearest) == {wish.id} else _alone((program, soft), wishes, wish, options))
        for wish in clash
    )
    return Conflict(clashing, nearest, plan)


def _slack(wish: Wish) -> str:
    return f"gives_way:{wish.id}"


def _elastic(program: LinearProgram, wishes: Sequence[Wish]) -> LinearProgram:
    """Return the program with one elastic variable a wish and no other cost."""
    columns = dict(program.columns)
    starts, indices, values = [program.starts], [program.indices], [program.values]
    first, entries = len(program.cost), len(program.values)
    for wish in wishes:
        block = program.rows[wish.id]
        scale = np.broadcast_to(np.asarray(wish.scale, dtype=np.float64), block.count)
        entries += block.count
        starts.append(np.array([entries], dtype=np.int64))
        indices.append(block.places)
        values.append(-scale)
        columns[_slack(wish)] = Block(_slack(wish), first, 1)
        first += 1
    more = len(wishes)
    return replace(
        program,
        columns=columns,
        cost=np.concatenate([np.zeros(len(program.cost)), [wish.weight for wish in wishes]]),
        lower=np.concatenate([program.lower, np.zeros(more)]),
        upper=np.concatenate([program.upper, np.zeros(more)]),
        integer=np.concatenate([program.integer, np.zeros(more, dtype=np.bool_)]),
        starts=np.concatenate(starts),
        indices=np.concatenate(indices),
        values=np.concatenate(values),
    )


def _least(
    soft: LinearProgram, wishes: Sequence[Wish], kept: set[str], options: Options | None, yielding: str | None = None
) -> Solution | None:
    """Return the least giving way of the wishes kept (or of the one that yields); the others are given up wholly."""
    open_rows = {wish.id: (-INF, INF) for wish in wishes if wish.id not in kept}
    upper = {_slack(wish): (None, INF if yielding in (None, wish.id) else 0.0) for wish in wishes}
    found = solve(soft.changed(bounds=upper, row_bounds=open_rows), options)
    return found if found.report.status.has_answer else None


def _blamed(program: LinearProgram, wishes: Sequence[Wish], least: Solution) -> set[str]:
    """Return the wishes that bear a price in the least giving way: they alone already clash (Farkas' lemma)."""
    prices = {}
    for wish in wishes:
        span = program.rows[wish.id].span
        scale = np.broadcast_to(np.asarray(wish.scale, dtype=np.float64), span.stop - span.start)
        prices[wish.id] = float(np.abs(least.row_duals[span] * scale).sum())
    highest = max(prices.values(), default=0.0)
    return {name for name, price in prices.items() if price > BLAMED * highest}


def _smallest(soft: LinearProgram, wishes: Sequence[Wish], blamed: set[str], options: Options | None) -> list[Wish]:
    """Return an irreducible clashing set: the deletion filter over the blamed wishes, dearest dropped last."""
    kept = blamed
    if len(blamed) < len(wishes) and _can_be_met(soft, wishes, blamed, options):
        kept = {wish.id for wish in wishes}  # the prices were not sharp enough to tell
    for wish in sorted((one for one in wishes if one.id in kept), key=lambda one: one.weight):
        rest = kept - {wish.id}
        if rest and not _can_be_met(soft, wishes, rest, options):
            kept = rest
    return [wish for wish in wishes if wish.id in kept]


def _can_be_met(soft: LinearProgram, wishes: Sequence[Wish], kept: set[str], options: Options | None) -> bool:
    """Whether a set of wishes can be met together when the others are given up."""
    found = _least(soft, wishes, kept, options)
    return found is not None and max(float(found.value(_slack(one))[0]) for one in wishes if one.id in kept) <= MET


def _alone(
    programs: tuple[LinearProgram, LinearProgram], wishes: Sequence[Wish], wish: Wish, options: Options | None
) -> float | None:
    """Return what one wish becomes when every other stands, None when that does not help.

    A share is read from the cheapest plan that gives way so far: without costs a program would waste clean power to raise it.
    """
    program, soft = programs
    found = _least(soft, wishes, {one.id for one in wishes}, options, yielding=wish.id)
    if found is None:
        return None
    share = float(found.value(_slack(wish))[0])
    if wish.measure is not None:
        shares = {one.id: share if one.id == wish.id else 0.0 for one in wishes}
        plan = _plan(program, wishes, shares, options)
        found = plan if plan is not None and plan.report.status.has_answer else found
    return wish.relaxed(share, found.x)


def _plan(
    program: LinearProgram, wishes: Sequence[Wish], shares: Mapping[str, float], options: Options | None
) -> Solution | None:
    """Return the plan of least cost once the wishes have given way as found, eased by a hair against rounding."""
    eased: dict[str, tuple[Floats | None, Floats | None]] = {}
    for wish in wishes:
        span = program.rows[wish.id].span
        move = (shares[wish.id] * (1.0 + EASED) + EASED) * np.broadcast_to(
            np.asarray(wish.scale, dtype=np.float64), span.stop - span.start
        )
        low, high = program.row_lower[span], program.row_upper[span]
        equal = low == high
        eased[wish.id] = (
            np.where(equal & (move > 0), low, low + move),
            np.where(equal & (move < 0), high, high + move),
        )
    found = solve(program.changed(row_bounds=eased), options)
    return found if found.report.status is not SolveStatus.INFEASIBLE else None
