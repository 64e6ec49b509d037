"""What stops stations because a utility does not serve them, as it is described: who stops, at which limit, how patiently."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """What stops some stations: exactly one of ``booth``, ``load``, ``air`` (an id of its table) and ``hall`` is named.

    Parameters
    ----------
    stations : that stop; those of the booth or of the air where none are named.
    below_fraction : booth, load: of what is asked of a loop, the least that must be served.
    outside_k : booth: by how much its air may leave the window, if all that is missing were temperature.
    below_kpa : air: the least pressure (gauge), also within an interval.
    below_celsius, above_celsius : hall: temperatures at the end of an interval beyond which nobody works there.
    tolerated_minutes : how long that may last before they stop; ``restart_minutes`` after it has passed they start again.
    status, source : of the limit.
    """

    id: str
    stations: tuple[str, ...] = ()
    booth: str | None = None
    load: str | None = None
    air: str | None = None
    hall: str | None = None
    below_fraction: float | None = None
    outside_k: float | None = None
    below_kpa: float | None = None
    below_celsius: float | None = None
    above_celsius: float | None = None
    tolerated_minutes: float = 0.0
    restart_minutes: float = 0.0
    status: str = "placeholder"
    source: str = ""
