"""Figures as a reader sees them: whole tonnes with thousands separators, percentages to 0.1 (standards reference, 14).

Rounding happens here and nowhere else, and always on the exact integer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import floor, log10
from zoneinfo import ZoneInfo

from zerofactory import units
from zerofactory.errors import Text

GRAMS_PER_TONNE = 1_000_000
NO_BREAK = "\u00a0"
FORMULA = re.compile(r"(?:(?:C|H|N|O|F|S|Cl)\d?)+e?")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def tonnes(grams: int | None) -> str:
    """Return grams as whole tonnes, half up; an amount that is not nothing but rounds to 0 is shown as ``<1``.

    Examples
    --------
    >>> tonnes(1_234_567_890_123), tonnes(400_000), tonnes(0), tonnes(-2_500_000), tonnes(None)
    ('1,234,568', '<1', '0', '−3', '—')
    """
    if grams is None:
        return "—"
    whole = (abs(grams) + GRAMS_PER_TONNE // 2) // GRAMS_PER_TONNE
    if whole == 0:
        return "0" if grams == 0 else "<1"
    return f"{'−' if grams < 0 else ''}{whole:,}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """Return a fraction as a percentage; the space before the sign does not break.

    Examples
    --------
    >>> [percent(fraction).replace(NO_BREAK, " ") for fraction in (0.12345, 0.0002, 0.0, 0.99999, 1.0, None)]
    ['12.3 %', '<0.1 %', '0.0 %', '>99.9 %', '100.0 %', '—']
    """
    if fraction is None:
        return "—"
    shown = f"{fraction * 100:.{digits}f}"
    smallest = 10.0**-digits
    if fraction and abs(fraction) * 100 < smallest / 2:
        return f"<{smallest:g}{NO_BREAK}%"
    if 0.0 < 1.0 - fraction < smallest / 200:
        return f">{100.0 - smallest:.{digits}f}{NO_BREAK}%"
    return f"{shown.replace('-', '−')}{NO_BREAK}%"


def formula(gas: str) -> str:
    """Return a gas with its numbers below the line; designations such as HFC-134a and R410A stay.

    Examples
    --------
    >>> formula("CO2"), formula("CO2e"), formula("C2F6"), formula("HFC-134a"), formula("R410A")
    ('CO₂', 'CO₂e', 'C₂F₆', 'HFC-134a', 'R410A')
    """
    if not FORMULA.fullmatch(gas):
        return gas
    return gas.translate(SUBSCRIPTS)


def unit_title(symbol: str) -> Text:
    """Return a unit as printed beside a quantity: symbols stay, words (``vehicle``) are named in both languages.

    Examples
    --------
    >>> unit_title("kWh").zh, unit_title("vehicle").zh, unit_title("vehicle").en
    ('kWh', '辆', 'vehicle')
    """
    dimension = units.parse(symbol).dimension if symbol in units.symbols() else ""
    counted = dimension.startswith("count") or dimension in ("vehicle_distance", "passenger_distance")
    return units.parse(symbol).title if counted else Text(symbol, symbol)


def half_width(fraction: float | None) -> str:
    """Return the half-width of an interval, e.g. ``± 5.0 %``."""
    return "—" if fraction is None else f"±{NO_BREAK}{percent(fraction)}"


def number(value: float | None, digits: int = 6) -> str:
    """Return a number to at most ``digits`` significant digits, never in powers of ten, with thousands separators.

    Examples
    --------
    >>> number(1234567.0), number(0.5737), number(21622.07), number(2.5e-05), number(12.0), number(999999.96)
    ('1,234,567', '0.5737', '21,622.1', '0.000025', '12', '1,000,000')
    """
    if value is None:
        return "—"
    if value == int(value):
        return f"{int(value):,}".replace("-", "−")
    magnitude = floor(log10(abs(value)))
    text = f"{value:,.{max(digits - 1 - magnitude, 0)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")


def quantity(value: float | None) -> str:
    """Return an activity quantity: whole above 1000, else to three decimals at most.

    Examples
    --------
    >>> quantity(18_234_567.891), quantity(12.3456), quantity(0.0004)
    ('18,234,568', '12.346', '0.0004')
    """
    if value is None:
        return "—"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    return number(round(value, 3) if abs(value) >= 0.01 else value)


def decimal(value: float | None) -> str:
    """Return an amount to one decimal, so that a column of them lines up.

    Examples
    --------
    >>> decimal(34817.0), decimal(-32.486)
    ('34,817.0', '−32.5')
    """
    return "—" if value is None else f"{value:,.1f}".replace("-", "−")


def moment(instant: datetime | None, time_zone: str = "UTC") -> str:
    """Return an instant on the plant's clock, to the minute."""
    if instant is None:
        return "—"
    zone = UTC if time_zone == "UTC" else ZoneInfo(time_zone)
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M")
