"""Where, when and how a plant asks for a factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from zerofactory.factors.model import GridLevel


@dataclass(frozen=True, slots=True)
class Scope:
    """Where, when and how a plant asks.

    Parameters
    ----------
    region : str
        Id of the plant's region, e.g. ``CN-上海``.
    on : date
        A day in the activity period; its year is the reporting year.
    known_at : date, optional
        The day of knowing: factors published later do not exist yet. None = everything published is known.
    grid_level : {'province', 'region', 'nation'}
        At which level average grid factors are taken; no other level is ever used instead.
    fuel_sets : tuple of str
        Families of fuel tables in order of preference; the first that has the fuel is used, whole.
    accepted : mapping
        Factors of low confidence that the plant accepts by id, each with its reason.
    pins : mapping
        ``role`` or ``role:item`` -> (factor id, reason): the plant's own choice.
    closing : bool
        Whether a period is to be closed: a factor of low confidence must then be accepted by name.
    """

    region: str
    on: date
    known_at: date | None = None
    grid_level: GridLevel = "province"
    fuel_sets: tuple[str, ...] = ("CN-T1",)
    accepted: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    closing: bool = False
