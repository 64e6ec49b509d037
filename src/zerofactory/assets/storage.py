"""What every store shares: the balance of its contents, as a row and as a step."""

from __future__ import annotations

from dataclasses import dataclass

from zerofactory.assets.block import Row, Term


@dataclass(frozen=True, slots=True)
class Store:
    """Gain into and drain out of a store per unit of flow and interval, and what is kept of the contents.

    ``stored[t] = keep · stored[t−1] + gain · inflow[t] − drain · outflow[t]``; the change of contents over an interval with
    constant flows, self-discharge taken on the contents at its start.
    """

    keep: float
    gain: float
    drain: float

    def row(self, stored: str, inflow: str, outflow: str, before: float | None) -> Row:
        """Return the balance as a row over three variables."""
        terms = (
            Term(stored),
            Term(stored, -self.keep, shift=1, initial=before),
            Term(inflow, -self.gain),
            Term(outflow, self.drain),
        )
        return Row(f"{stored}_balance", terms, "=")

    def advance(
        self, before: float, flows: tuple[float, float], bounds: tuple[float, float]
    ) -> tuple[float, float, float]:
        """Return contents, inflow and outflow after one interval: flows are cut so that the contents stay within bounds.

        Examples
        --------
        >>> Store(1.0, 0.9, 1.25).advance(50.0, (100.0, 0.0), (0.0, 100.0))
        (100.0, 55.55555555555556, 0.0)
        """
        inflow, outflow = max(flows[0], 0.0), max(flows[1], 0.0)
        after = self.keep * before + self.gain * inflow - self.drain * outflow
        if after > bounds[1]:
            cut = min(inflow, (after - bounds[1]) / self.gain)
            inflow, after = inflow - cut, after - cut * self.gain
        elif after < bounds[0]:
            cut = min(outflow, (bounds[0] - after) / self.drain)
            outflow, after = outflow - cut, after + cut * self.drain
        return after, inflow, outflow


def kept_fraction(loss_fraction_per_hour: float, hours: float) -> float:
    """Return what is left of the contents after some hours: (1 − loss)^hours.

    Examples
    --------
    >>> kept_fraction(0.01, 2.0)
    0.9801
    """
    return float((1.0 - loss_fraction_per_hour) ** hours)
