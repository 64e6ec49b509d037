"""Terms: figures of the plant's own documents and physical identities, in the shape of factors.

So a figure that a document states (a purity, a volume fraction, a recovered share) stands in the explanation beside the
published factors, and a product of factors is named by the ids of its terms alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zerofactory import units
from zerofactory.errors import Misuse, Text
from zerofactory.factors.model import CONFIDENCES, Factor, Found, Resolution, Term
from zerofactory.factors.resolve import combine, unit_scale

CARBON_TO_CO2 = 44 / 12


def per_unit(terms: Sequence[Found], gas: str, unit: str, constant: float = 1.0) -> Resolution:
    """Return a product of terms in kg of ``gas`` per ``unit``; units are converted by their algebra.

    Parameters
    ----------
    terms : factors whose units make a mass per ``unit``.
    constant : the pure number of the formula, e.g. 44/12.

    Raises
    ------
    Misuse
        The units of the terms do not make a mass per ``unit``.
    """
    wanted = f"kg{gas if gas in units.GASES_IN_UNITS else ''}/{unit}"
    scale = unit_scale(terms, wanted)
    if scale is None:
        raise Misuse(f"cannot read the units of {[term.factor.unit for term in terms]}")
    return combine(terms, wanted, constant * scale)


def times(resolution: Resolution, terms: Sequence[Found], unit: str) -> Resolution:
    """Return a resolution multiplied by further terms, in another unit; e.g. kgCO2/L × L/km × km/vehicle → kgCO2/vehicle.

    Raises
    ------
    Misuse
        The units do not make ``unit``.
    """
    whole = Found(
        plain_factor(resolution.id, "derived", "", resolution.value, resolution.unit, Text("", "")), Text("", "")
    )
    scale = unit_scale([whole, *terms], unit)
    if scale is None:
        raise Misuse(f"cannot read the units of {[term.factor.unit for term in terms]} and {resolution.unit}")
    value = constant = resolution.constant * scale
    every = (*resolution.terms, *(Term(term.factor, term.power) for term in terms))
    for term in every:
        value = value * term.factor.value if term.power == 1 else value / term.factor.value
    added = "".join(("*" if term.power == 1 else "/") + term.factor.id for term in terms)
    said = dict.fromkeys(term.reason for term in terms)
    reason = Text(
        resolution.reason.zh + "".join(text.zh for text in said),
        " ".join([resolution.reason.en, *(t.en for t in said)]),
    )
    return Resolution(resolution.id + added, value, unit, every, reason, constant)


def stated(name: str, value: float, unit: str, title: Text) -> Found:
    """Return a figure from the plant's own documents in the shape of a factor.

    Its id holds the figure, so that a product of factors is named by its id alone.
    """
    return Found(
        plain_factor(f"stated.{name}={value!r}", "stated", name, value, unit, title),
        Text(f"{title.zh} {value:g} 由企业填报。", f"{title.en} {value:g} is stated by the plant."),
    )


def identity(reason: Text) -> Found:
    """Return the factor 1 kg/kg of a mass balance: what is consumed is emitted."""
    title = Text("质量平衡(消耗即排放)", "mass balance (what is consumed is emitted)")
    return Found(plain_factor("identity.mass_balance", "identity", "mass", 1.0, "kg/kg", title), reason)


def plain_factor(factor_id: str, role: str, item: str, value: float, unit: str, title: Text) -> Factor:
    """Return a factor that comes from no published table."""
    return Factor(
        id=factor_id,
        role=role,
        item=item,
        title=title,
        value=value,
        unit=unit,
        gas=None,
        region="",
        valid_from=None,
        valid_to=None,
        published_on=None,
        best_before=None,
        set_id=role,
        source="企业活动数据 / activity data of the plant" if role == "stated" else title.en,
        source_ref="",
        provenance="plant" if role == "stated" else "constant",
        confidence="medium" if role == "stated" else "high",
        note="",
        value_text=repr(value),
    )


def derived(name: str, value: float, unit: str, title: Text, inputs: Sequence[Factor]) -> Found:
    """Return a figure computed from other factors (e.g. a mass fraction from molar masses), its inputs kept beside it.

    It is as sure as its least sure input.
    """
    factor = plain_factor(name, "derived", name, value, unit, title)
    used = ", ".join(f"{entry.id} = {entry.value_text or repr(entry.value)} {entry.unit}" for entry in inputs)
    extra = {entry.id: repr(entry.value) for entry in inputs}
    weakest = min((entry.confidence for entry in inputs), key=CONFIDENCES.index, default=factor.confidence)
    return Found(
        replace(factor, extra=extra, note=used, confidence=weakest),
        Text(f"{title.zh}, 由 {used} 计算。", f"{title.en}, from {used}."),
    )
