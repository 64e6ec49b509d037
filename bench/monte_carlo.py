"""500 activity lines × 10 000 draws: the uncertainty of an inventory, beside plain numpy drawing and multiplying the same."""

from __future__ import annotations

import numpy as np
import polars as pl

from bench.clock import Parts, apart, row

LINES, DRAWS, SEED = 500, 10_000, 20250101
METERS, TERMS = 100, 40
Z95 = 1.959963984540054
KINDS = (("metered", "purchased_electricity", 0.005), ("invoiced", "stationary_combustion", 0.01))


def frame() -> pl.DataFrame:
    """Return 500 records of 100 sources: half metered, half documents, 40 factors, half-widths of 4 % to 100 %."""
    random = np.random.Generator(np.random.PCG64(5))
    rows = []
    for number in range(LINES):
        source = number % METERS
        tier, kind, amount = KINDS[source % 4 > 0]
        wide = (0.04, 0.06, 0.05, 1.0)[source % 4] if source % 8 == 3 else 0.05
        rows.append(
            {
                "source_id": f"s{source:03d}", "source_kind": kind, "tier": tier, "activity_id": f"a{number:04d}",
                "factor_id": f"own.{source % TERMS:03d}*own.{source % 7:03d}.second",
                "uncertainty_fraction": float(np.hypot(wide, amount)),
                "signed": int(random.integers(1_000_000, 500_000_000)),
            }
        )  # fmt: skip
    return pl.DataFrame(rows)


def ours(parts: Parts) -> tuple[float, float, float]:
    """The linear form from records, ten thousand draws, mean and quantiles."""
    from zerofactory.accounting.spread import spread_of
    from zerofactory.accounting.uncertainty import simulate

    records = frame()
    spread_of(records.head(5))
    spread = parts.time("linear form", lambda: spread_of(records))
    found = parts.time("draw and multiply", lambda: simulate(spread, DRAWS, SEED)).total  # type: ignore[arg-type,attr-defined]
    return found.mean_g, found.low_g, found.high_g


def plain(parts: Parts) -> tuple[float, float, float]:
    """As many variates as whole arrays: draw all, multiply all, sum, quantiles; then, untimed, with the very same variates."""
    from zerofactory.accounting.spread import spread_of

    spread = spread_of(frame())
    keys = sorted({*spread.activities, *(part.key for pattern in spread.patterns for part in pattern.shared)})
    number = {key: index for index, key in enumerate(keys)}

    def draw() -> np.ndarray:
        return np.random.Generator(np.random.PCG64(SEED)).standard_normal((len(keys), DRAWS))

    def multiply(normals: np.ndarray) -> np.ndarray:
        total = np.zeros(DRAWS)
        for amount, place, index in zip(spread.amounts_g, spread.line_pattern, spread.line_activity, strict=True):
            pattern = spread.patterns[place]
            product = amount * (
                1 + pattern.activity.half_width_fraction / Z95 * normals[number[spread.activities[index]]]
            )
            for part in pattern.shared:
                deviation, variates = part.half_width_fraction / Z95, normals[number[part.key]]
                if part.shape == "normal":
                    product = product * (1 + deviation * variates)
                else:
                    variance = np.log1p(deviation**2)
                    product = product * np.exp(np.sqrt(variance) * variates - variance / 2)
            total += product
        return total

    normals = parts.time("draw", draw)
    total = parts.time("multiply", lambda: multiply(normals))  # type: ignore[arg-type]
    parts.time("quantiles", lambda: np.quantile(total, [0.025, 0.975]))  # type: ignore[call-overload]
    same = multiply(np.random.Generator(np.random.PCG64(SEED)).standard_normal((DRAWS, len(keys))).T.copy())
    low, high = np.quantile(same, [0.025, 0.975])
    return float(same.mean()), float(low), float(high)


def run() -> None:
    """Print the figures."""
    print(f"monte_carlo: {LINES} lines × {DRAWS:,} draws")
    pairs = [(apart(ours), apart(plain)) for _ in range(5)]  # in turn, the best of each: both are a tenth of a second
    book, peer = (min((pair[i] for pair in pairs), key=lambda one: one.total) for i in (0, 1))
    row("plain numpy", peer)
    row("zerofactory: linear form, simulate", book, peer)
    equal = np.allclose(book.result, peer.result, rtol=1e-12)  # type: ignore[arg-type]
    mean, low, high = book.result  # type: ignore[misc]
    print(f"  mean {mean / 1e6:,.1f} t, 95 % {low / 1e6:,.1f} – {high / 1e6:,.1f} t; equal to plain numpy: {equal}")
