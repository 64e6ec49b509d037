"""On-site storage (储能): what is discharged carries the mix of what was charged; what is lost is consumption.

    charged     takes the mix of what reaches the plant in that interval (own generation, direct line, grid, contracts)
    content     content of each store by origin; well mixed, so a withdrawal takes every origin in proportion
    withdrawn   discharged / round-trip efficiency; the part that does not come out is lost, and lost where it is discharged
    account     direct + discharged = load; direct + charged = metered supply; all in whole watt-hours, in every interval

Pro rata and not first in, first out: no certificate with an identity of its own is moved through the store, only watt-hours,
and a mixed content needs no lots to be carried over a month's end (decision 0015). Charging and discharging records with the
losses between them follow the EnergyTag Granular Certificate Scheme Standard v2 (2024), storage records SCR and SDR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse

Wh = NDArray[np.int64]
PPM = 1_000_000
_SAFE = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """One store: what its meters saw by slot, and its round-trip efficiency in parts per million.

    ``capacity_wh`` (None: not stated) bounds its content: what the account holds beyond it has been lost.
    """

    id: str
    charge_wh: Wh
    discharge_wh: Wh
    round_trip_ppm: int
    capacity_wh: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.round_trip_ppm <= PPM:
            raise Misuse(f"store {self.id}: round-trip efficiency must lie in (0, 1]")


@dataclass(frozen=True, slots=True, eq=False)
class Routed:
    """A supply by origin after it has gone through the stores; every array is by slot, every mapping by origin.

    ``content_wh`` is what each store holds after the last slot. ``unrecorded_wh`` was discharged although the account of
    the store was empty (it had been charged before the book begins): it counts as the last origin.
    """

    direct_wh: Mapping[str, Wh]
    charged_wh: Mapping[str, Wh]
    discharged_wh: Mapping[str, Wh]
    lost_wh: Mapping[str, Wh]
    content_wh: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unrecorded_wh: int = 0

    def load_wh(self) -> dict[str, Wh]:
        """Return what was used by origin: direct and out of the stores."""
        return {name: self.direct_wh[name] + self.discharged_wh[name] for name in self.direct_wh}


@dataclass(frozen=True, slots=True, eq=False)
class Proportions:
    """In which proportions amounts are shared out, slot by slot: running sums of weights (K × T), prepared once for many.

    ``repeats`` tells the parts that weigh nothing in any slot.
    """

    running: Wh
    divisor: Wh
    repeats: tuple[bool, ...]

    def share(self, amounts: Wh) -> Wh:
        """Return whole parts (K × T) of ``amounts`` (T) that add up to them exactly."""
        size, negative = np.abs(amounts), bool((amounts < 0).any())
        exact = int(size.max(initial=0)) * int(self.divisor.max(initial=0)) < _SAFE
        parts = np.zeros_like(self.running)
        before = np.zeros_like(size)
        for place in range(len(self.running) - 1):
            if self.repeats[place]:
                continue
            if exact:
                end = size * self.running[place] // self.divisor
            else:
                end = (size.astype(object) * self.running[place] // self.divisor).astype(np.int64)
            parts[place] = end - before
            before = end
        parts[-1] = size - before
        return parts * np.sign(amounts) if negative else parts


def proportions(weights: Wh) -> Proportions:
    """Return proportions from weights (K × T); negative ones count as none, and the last part takes what none weighs."""
    positive = np.maximum(weights, 0)
    running = np.cumsum(positive, axis=0)
    divisor = np.where(running[-1] > 0, running[-1], 1)
    return Proportions(running, divisor, tuple(not row.any() for row in positive))


def shares(amounts: Wh, weights: Wh) -> Wh:
    """Return whole parts (K × T) of ``amounts`` (T) in proportion to ``weights`` (K × T) that add up to them exactly.

    Negative weights count as none; where no weight is left the whole amount goes to the last part.

    Examples
    --------
    >>> shares(np.array([10, 7]), np.array([[1, 0], [2, 0], [0, 0]])).tolist()
    [[3, 0], [7, 0], [0, 7]]
    """
    return proportions(weights).share(amounts)


def route(
    supply_wh: Mapping[str, Wh], stores: Sequence[Store], opening_wh: Mapping[str, Mapping[str, int]] | None = None
) -> Routed:
    """Return a supply by origin after the stores.

    Parameters
    ----------
    supply_wh : by origin, what reaches the plant in each slot; the last origin takes what cannot be told.
    opening_wh : by store, its content by origin before the first slot (default: empty).

    Examples
    --------
    Noon charges 800 Wh, three quarters of it sun; in the evening 640 come out at 80 %: 480 of sun, 160 of the grid, 160 lost.

    >>> sun, grid = np.array([1500, 0]), np.array([500, 360])
    >>> done = route({"sun": sun, "grid": grid}, [Store("b", np.array([800, 0]), np.array([0, 640]), 800_000)])
    >>> [done.discharged_wh[name].tolist() for name in ("sun", "grid")]
    [[0, 480], [0, 160]]
    >>> int(sum(lost.sum() for lost in done.lost_wh.values())), done.content_wh
    (160, {'b': {'sun': 0, 'grid': 0}})
    """
    names = tuple(supply_wh)
    direct = np.array([supply_wh[name] for name in names], dtype=np.int64)
    charged, discharged, lost = (np.zeros_like(direct) for _ in range(3))
    content: dict[str, Mapping[str, int]] = {}
    unrecorded = 0
    for store in stores:
        taken = _charge(direct, np.maximum(store.charge_wh, 0))
        direct -= taken
        charged += taken
        held = [int((opening_wh or {}).get(store.id, {}).get(name, 0)) for name in names]
        unrecorded += _empty(store, taken, held, (discharged, lost))
        content[store.id] = dict(zip(names, held, strict=True))
    parts = [dict(zip(names, part, strict=True)) for part in (direct, charged, discharged, lost)]
    return Routed(parts[0], parts[1], parts[2], parts[3], content, unrecorded)


def _charge(direct: Wh, amounts: Wh) -> Wh:
    """Return what a store takes of each origin; what the supply does not explain is the last origin's."""
    there = np.maximum(direct, 0).sum(axis=0)
    taken = shares(np.minimum(amounts, there), direct)
    taken[-1] += np.maximum(amounts - there, 0)
    return taken


def _empty(store: Store, taken: Wh, held: list[int], out: tuple[Wh, Wh]) -> int:
    """Run one store over the slots in order, writing what is discharged and lost; return what was not on its account."""
    discharged, lost = out
    wanted = np.maximum(store.discharge_wh, 0)
    unrecorded = 0
    for slot in np.flatnonzero(wanted + taken.sum(axis=0)).tolist():
        for origin, amount in enumerate(taken[:, slot].tolist()):
            held[origin] += amount
        amount = int(wanted[slot])
        if amount:
            whole = min(sum(held), max(amount, amount * PPM // store.round_trip_ppm))
            drawn = _withdraw(held, whole)
            given = _parts(min(amount, whole), drawn)
            given_and_missing = [*given[:-1], given[-1] + max(amount - whole, 0)]
            unrecorded += max(amount - whole, 0)
            discharged[:, slot] += given_and_missing
            lost[:, slot] += [before - after for before, after in zip(drawn, given, strict=True)]
        beyond = sum(held) - store.capacity_wh if store.capacity_wh is not None else 0
        if beyond > 0:
            lost[:, slot] += _withdraw(held, beyond)
    return unrecorded


def _withdraw(held: list[int], amount: int) -> list[int]:
    """Take an amount out of a mixed content, in proportion; return what was taken of each origin."""
    drawn = _parts(amount, held)
    for origin, part in enumerate(drawn):
        held[origin] -= part
    return drawn


def _parts(amount: int, weights: Sequence[int]) -> list[int]:
    """Return whole parts of an amount in proportion to weights; each is at most its weight where the amount is."""
    total, running, before, parts = sum(weights), 0, 0, []
    for weight in weights:
        running += weight
        end = amount * running // total if total else 0
        parts.append(end - before)
        before = end
    return parts
