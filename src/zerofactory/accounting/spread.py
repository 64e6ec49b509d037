"""Spread: which uncertain parts a record's emission hangs on, and how they add up (error propagation, approach 1).

    emission = quantity × Π factors × GWP      so to first order      dE / E = Σ parts
    part       the meter, the document, the stated pedigree, each factor term that carries an uncertainty
    key        names a part; records with the same key move together, all others are independent

A meter is one part for every month and source it feeds, a document one part for every gas of its activity, a factor term one
part wherever it occurs. Per part: S = Σ x × U over its records; U_total = sqrt(Σ S²) / |Σ x| (IPCC 2006 Vol. 1 eq. 3.1, 3.2,
correlated records added linearly first). The GWP is left out, as usual for inventories.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from zerofactory.accounting.measure import Measure, setting
from zerofactory.accounting.source import sources
from zerofactory.factors.load import factor_book
from zerofactory.factors.model import Factor, Resolution
from zerofactory.factors.resolve import uncertainty

Shape = Literal["normal", "lognormal", "triangular"]
PartKind = Literal["meter", "document", "pedigree", "factor"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Z95 = 1.959963984540054  # 97.5 % point of the standard normal
NOTHING = 1e-9
PATTERN = ("source_kind", "source_id", "tier", "factor_id", "uncertainty_fraction")


@dataclass(frozen=True, slots=True)
class Part:
    """One uncertain part of a product.

    ``half_width_fraction`` is 1.96 standard deviations, relative. ``low`` and ``high`` are the ends of a triangle relative to
    its mode (0.4 and 1.5 for 0.4 … 1 … 1.5), 0 for other shapes. ``owner`` is the source it belongs to, if it is of one.
    """

    key: str
    kind: PartKind
    half_width_fraction: float
    shape: Shape
    low: float = 0.0
    high: float = 0.0
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the records of one source, tier, factor and half-width hang on.

    ``activity`` is the part of the amount; its key is that of the meter, or empty where each activity has its own.
    """

    activity: Part
    shared: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """The linear form of a set of records: lines of grams, each of a group, a pattern and an activity.

    Lines are sorted by group, pattern and activity, whatever the order of the records. ``activities`` are the keys of the
    amounts, sorted.
    """

    groups: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    activities: tuple[str, ...]
    amounts_g: Floats
    line_group: Ints
    line_pattern: Ints
    line_activity: Ints

    @property
    def total_g(self) -> float:
        """The sum of all lines, in gCO2e."""
        return float(self.amounts_g.sum())


@dataclass(frozen=True, slots=True)
class Stake:
    """One part and its S = Σ x × U in grams."""

    part: Part
    spread_g: float


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the plant says about its amounts: what measures each source, and the half-width of its stated pedigree."""

    measures: Mapping[str, Measure] = field(default_factory=dict)
    pedigrees: Mapping[str, float] = field(default_factory=dict)


def shape_of(half_width_fraction: float) -> Shape:
    """Return normal below 30 %, lognormal from there on (`uncertainty.toml`).

    Examples
    --------
    >>> shape_of(0.05), shape_of(0.30)
    ('normal', 'lognormal')
    """
    limit = float(setting("normal_below_fraction"))
    return "normal" if half_width_fraction < limit - NOTHING else "lognormal"


def range_half_width(low: float, value: float, high: float) -> tuple[float, Shape]:
    """Return the relative half-width (1.96 sd) and the shape of a printed range.

    Triangular with the value as mode: var = (a² + b² + c² − ab − ac − bc) / 18; a range over an order of magnitude is lognormal with the
    ends as 95 % interval: σ = ln(high/low) / (2 × 1.96), cv² = exp(σ²) − 1.

    Examples
    --------
    >>> width, shape = range_half_width(0.8, 1.0, 1.2)
    >>> round(width, 4), shape
    (0.16, 'triangular')
    """
    if low > 0.0 and high / low >= float(setting("wide_range_ratio")):
        sigma = math.log(high / low) / (2 * Z95)
        return Z95 * math.sqrt(math.expm1(sigma * sigma)), "lognormal"
    variance = (low**2 + value**2 + high**2 - low * value - low * high - value * high) / 18
    return Z95 * math.sqrt(variance) / value, "triangular"


def ranged(factor: Factor) -> tuple[float, Shape] | None:
    """Return half-width and shape of a factor's own printed range, None when it prints none."""
    if factor.low is None or factor.high is None or not 0.0 <= factor.low <= factor.value <= factor.high:
        return None
    return range_half_width(factor.low, factor.value, factor.high) if factor.low < factor.high else None


def factor_half_width(resolution: Resolution) -> float:
    """Return the half-width of a product from the printed ranges of its terms (0 when none prints one)."""
    widths = [found[0] for term in resolution.terms if (found := ranged(term.factor))]
    return math.hypot(*widths)


def spread_of(records: pl.DataFrame, group: str | None = None, knowledge: Knowledge | None = None) -> Spread:
    """Return the linear form of records.

    Parameters
    ----------
    records : frame with ``signed`` (grams) and the columns of RECORDS.
    group : column whose values become the groups; None puts all in one.
    knowledge : what measures the sources; without it metered amounts take the half-width of their kind.
    """
    known = knowledge or Knowledge()
    own = pl.when(pl.col("tier") != "metered").then("activity_id").alias("own_id")
    named = records.select(
        (pl.col(group).cast(pl.String) if group else pl.lit("")).alias("group"), *PATTERN, own, "signed"
    )
    sums = named.group_by("group", *PATTERN, "own_id").agg(pl.col("signed").sum())
    unique = sums.select(PATTERN).unique().sort(PATTERN)
    patterns = tuple(pattern_of(row, known) for row in unique.to_dicts())
    keys = unique.with_columns(
        pl.Series("pattern", range(len(patterns)), dtype=pl.Int64),
        pl.Series("own_key", [pattern.activity.key or None for pattern in patterns], dtype=pl.String),
    )
    lines = (
        sums.join(keys, on=list(PATTERN), how="left")
        .with_columns(pl.coalesce("own_key", pl.concat_str(pl.lit("document:"), "own_id")).alias("key"))
        .group_by("group", "pattern", "key").agg(pl.col("signed").sum())
        .sort("group", "pattern", "key")
    )  # fmt: skip
    groups, activities = (lines[name].unique().sort() for name in ("group", "key"))
    return Spread(
        groups=tuple(groups),
        patterns=patterns,
        activities=tuple(activities),
        amounts_g=lines["signed"].to_numpy().astype(np.float64),
        line_group=_index(lines["group"], groups),
        line_pattern=lines["pattern"].to_numpy().astype(np.int64),
        line_activity=_index(lines["key"], activities),
    )


def _index(values: pl.Series, known: pl.Series) -> Ints:
    """Return the place of each value in a sorted list of them."""
    places = pl.DataFrame({"known": known}).with_row_index("place")
    joined = values.to_frame("known").join(places, on="known", how="left", maintain_order="left")
    return joined["place"].to_numpy().astype(np.int64)


def pattern_of(row: Mapping[str, object], known: Knowledge) -> Pattern:
    """Return the parts of a record, their squares adding up to the square of its booked half-width."""
    source_id, tier = str(row["source_id"]), str(row["tier"])
    whole = float(str(row["uncertainty_fraction"]))
    amount = min(_amount_half_width(str(row["source_kind"]), source_id, tier, known), whole)
    pedigree = min(known.pedigrees.get(source_id, 0.0), _rest(whole, amount))
    factors = _rest(whole, amount, pedigree)
    measure = known.measures.get(source_id)
    key = "" if tier != "metered" else measure.key if measure else f"meter:{source_id}"
    kind: PartKind = "meter" if tier == "metered" else "document"
    stated = (Part(f"pedigree:{source_id}", "pedigree", pedigree, "lognormal", owner=source_id),) if pedigree else ()
    return Pattern(
        Part(key, kind, amount, shape_of(amount), owner=source_id),
        (*stated, *factor_parts(str(row["factor_id"]), factors)),
    )


def _rest(whole: float, *parts: float) -> float:
    """Return what is left of a half-width when independent parts are taken out."""
    left = math.sqrt(max(0.0, whole**2 - math.fsum(part**2 for part in parts)))
    return left if left > NOTHING else 0.0


def _amount_half_width(kind_id: str, source_id: str, tier: str, known: Knowledge) -> float:
    if tier == "metered" and source_id in known.measures:
        return known.measures[source_id].half_width_fraction
    kind = sources().get(kind_id)
    entry = kind.activity_uncertainty.get(tier) if kind else None
    return uncertainty(factor_book(), entry) if entry else 0.0


@lru_cache(maxsize=4096)
def factor_parts(factor_id: str, half_width_fraction: float) -> tuple[Part, ...]:
    """Return the terms of a product that carry its half-width, equal shares of the square each.

    Net calorific values, densities, molar masses and stated figures carry none (`uncertainty.toml`, exact_roles), nor do terms
    outside the packaged sets (the plant's own, derived ones) beside published terms. A product whose
    half-width is that of its terms' printed ranges takes each from its own.

    Examples
    --------
    >>> [(part.key, round(part.half_width_fraction, 4)) for part in factor_parts("cn-t1.ng.ncv*cn-t1.ng.cc", 0.04)]
    [('factor:cn-t1.ng.cc', 0.04)]
    """
    if half_width_fraction <= 0.0:
        return ()
    names = terms_of(factor_id)
    known = factor_book().by_id
    own = {name: found for name in names if name in known and (found := ranged(known[name]))}
    if own and math.isclose(math.hypot(*(width for width, _ in own.values())), half_width_fraction, rel_tol=1e-6):
        return tuple(_ranged_part(known[name], *own[name]) for name in own)
    exact = set(setting("exact_roles"))
    carrying = [name for name in names if not (name in known and known[name].role in exact) and not _plain(name)]
    carrying = [name for name in carrying if name in known] or carrying or names[-1:]
    each = half_width_fraction / math.sqrt(len(carrying))
    return tuple(Part(f"factor:{name}", "factor", each, shape_of(each)) for name in carrying)


def _ranged_part(factor: Factor, width: float, shape: Shape) -> Part:
    low, high = (
        (0.0, 0.0)
        if shape != "triangular"
        else ((factor.low or 0.0) / factor.value, (factor.high or 0.0) / factor.value)
    )
    return Part(f"factor:{factor.id}", "factor", width, shape, low, high)


def _plain(name: str) -> bool:
    """Whether a term is a figure of the plant or an identity, which the uncertainty of the amount covers."""
    return name.startswith(("stated.", "identity."))


def terms_of(factor_id: str) -> list[str]:
    """Return the ids of the terms of a product, sorted, each once.

    Examples
    --------
    >>> terms_of("a.ncv*a.cc/b")
    ['a.cc', 'a.ncv', 'b']
    """
    return sorted({name for name in re.split(r"[*/]", factor_id) if name and name != "1"})


def stakes(spread: Spread) -> list[Stake]:
    """Return every part with its S in grams, sorted by key; a factor term is one part however many products it is in."""
    parts, codes, values, _ = _entries(spread)
    sums = np.bincount(codes, weights=values, minlength=len(parts))
    return [Stake(part, float(amount)) for part, amount in zip(parts, sums, strict=True)]


def stakes_by_group(spread: Spread) -> tuple[dict[str, Part], dict[str, dict[str, float]]]:
    """Return the parts by key, and for each group the S in grams of every part it hangs on."""
    parts, codes, values, groups = _entries(spread)
    unique, places = np.unique(groups * max(1, len(parts)) + codes, return_inverse=True)
    sums = np.bincount(places, weights=values, minlength=len(unique))
    found: dict[str, dict[str, float]] = {name: {} for name in spread.groups}
    for code, amount in zip(unique.tolist(), sums.tolist(), strict=True):
        found[spread.groups[code // max(1, len(parts))]][parts[code % max(1, len(parts))].key] = amount
    return {part.key: part for part in parts}, found


def amount_part(row: Mapping[str, object], known: Knowledge) -> Part:
    """Return the part that the amount of an activity hangs on, under the key that `spread_of` gives it.

    ``row`` holds activity_id, source_id, source_kind and tier.
    """
    kind, source_id, tier = str(row["source_kind"]), str(row["source_id"]), str(row["tier"])
    half = _amount_half_width(kind, source_id, tier, known)
    measure = known.measures.get(source_id)
    if tier != "metered":
        return Part(f"document:{row['activity_id']}", "document", half, shape_of(half), owner=source_id)
    return Part(measure.key if measure else f"meter:{source_id}", "meter", half, shape_of(half), owner=source_id)


def half_widths(spread: Spread) -> dict[str, float]:
    """Return the relative 95 % half-width of each group (0 where the group sums to 0)."""
    parts, codes, values, groups = _entries(spread)
    unique, places = np.unique(groups * max(1, len(parts)) + codes, return_inverse=True)
    sums = np.bincount(places, weights=values, minlength=len(unique))
    owner = unique // max(1, len(parts))
    squares = np.bincount(owner, weights=sums**2, minlength=len(spread.groups))
    totals = np.bincount(spread.line_group, weights=spread.amounts_g, minlength=len(spread.groups))
    return {
        name: math.sqrt(square) / abs(total) if total else 0.0
        for name, square, total in zip(spread.groups, squares.tolist(), totals.tolist(), strict=True)
    }


def variance_shares(spread: Spread) -> dict[str, float]:
    """Return the share of each group in the variance of the total: Cov(group, total) / Var(total); they add up to 1."""
    parts, codes, values, groups = _entries(spread)
    sums = np.bincount(codes, weights=values, minlength=len(parts))
    variance = float((sums**2).sum())
    shares = np.bincount(groups, weights=values * sums[codes], minlength=len(spread.groups))
    return dict(zip(spread.groups, (shares / variance if variance else shares * 0.0).tolist(), strict=True))


def half_width(records: pl.DataFrame, knowledge: Knowledge | None = None) -> float:
    """Return the relative 95 % half-width of the sum of records, 0 when it sums to 0."""
    if not int(records["signed"].sum()):
        return 0.0
    return next(iter(half_widths(spread_of(records, None, knowledge)).values()))


def _entries(spread: Spread) -> tuple[list[Part], Ints, Floats, Ints]:
    """Return the parts by key, and for every line and part: the part's number, x × U in grams, the group's number."""
    parts: dict[str, Part] = {}
    for line, pattern in _first_lines(spread):
        key = spread.activities[spread.line_activity[line]]
        parts.setdefault(key, _named(spread.patterns[pattern].activity, key))
    for pattern_here in spread.patterns:
        for part in pattern_here.shared:
            parts.setdefault(part.key, part)
    ordered = dict(sorted(parts.items()))
    number = {key: index for index, key in enumerate(ordered)}
    own = np.array([number[key] for key in spread.activities], dtype=np.int64)
    widths = np.array([pattern.activity.half_width_fraction for pattern in spread.patterns])
    codes, values, groups = (
        [own[spread.line_activity]],
        [spread.amounts_g * widths[spread.line_pattern]],
        [spread.line_group],
    )
    for place in range(max((len(pattern.shared) for pattern in spread.patterns), default=0)):
        code, width = _shared_at(spread.patterns, place, number)
        here = code[spread.line_pattern] >= 0
        chosen = spread.line_pattern[here]
        codes.append(code[chosen])
        values.append(spread.amounts_g[here] * width[chosen])
        groups.append(spread.line_group[here])
    return list(ordered.values()), np.concatenate(codes), np.concatenate(values), np.concatenate(groups)


def _first_lines(spread: Spread) -> Iterator[tuple[int, int]]:
    """Yield the first line of each activity and its pattern."""
    _, first = np.unique(spread.line_activity, return_index=True)
    for line in first.tolist():
        yield line, int(spread.line_pattern[line])


def _named(part: Part, key: str) -> Part:
    return (
        part
        if part.key
        else Part(key, part.kind, part.half_width_fraction, part.shape, part.low, part.high, part.owner)
    )


def _shared_at(patterns: Sequence[Pattern], place: int, number: Mapping[str, int]) -> tuple[Ints, Floats]:
    """Return, for each pattern, the number and half-width of its shared part at a place (-1 where it has none)."""
    there = [pattern.shared[place] if place < len(pattern.shared) else None for pattern in patterns]
    code = np.array([number[part.key] if part else -1 for part in there], dtype=np.int64)
    return code, np.array([part.half_width_fraction if part else 0.0 for part in there])
