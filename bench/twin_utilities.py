"""The utilities: a year of the reference plant beside its line in seconds, sub-steps of compressed air a second, beside numpy; and the
fit to their meters: each month predicted by a fit to the others, and one month held out, beside the packaged figures.

The readings are those of the reference plant: fictional, made from load shapes and not from the physics of booths or chillers.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from bench.reading_the_book import build
from zerofactory.optimisation.twin.energy import usage
from zerofactory.optimisation.twin.production import simulate as simulate_line
from zerofactory.optimisation.utilities import compressed_air
from zerofactory.optimisation.utilities.leak import flux
from zerofactory.optimisation.utilities.plant import air_need, simulate
from zerofactory.runs import init, twin_calibrate, twin_file, twin_utilities, twin_utilities_file
from zerofactory.runs.context import open_context

DAY_S, STEP_S = 86_400.0, 900.0


def plain_air(network: compressed_air.Network, demand: float, steps: int, step_s: float) -> float:
    """Return the pressure after some sub-steps of one full-flow compressor in plain Python: what the compiled core replaces."""
    per_kpa = network.volume_m3 / 101.325 * 273.15 / (network.celsius + 273.15)
    content, on, hours = 751.325 * per_kpa, True, step_s / 3600.0
    area = compressed_air.leak_area_m2(network.leaks)
    for _ in range(steps):
        kpa = content / per_kpa - 101.325
        on = kpa < 700.0 if on else kpa <= 650.0
        content += ((9000.0 if on else 0.0) - demand - area * flux((kpa + 101.325) * 1e3, 298.15)) * hours
    return content / per_kpa - 101.325


def fitted(place: Path, held: str) -> None:
    """Print how the meters of the utilities are met by the packaged figures and by the fit: each month of twelve by the others, and one
    month by a whole fit that never saw it, beside what the short way of the months in turn says of that month."""
    build(place)
    context = open_context(place)
    twin_calibrate.calibrate(context, twin_calibrate.Asked(holdout=(held,)))
    begun, cpu = time.perf_counter(), time.process_time()
    whole = twin_calibrate.calibrate(context, twin_calibrate.Asked(utilities=True)).tuned
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    apart = twin_calibrate.calibrate(context, twin_calibrate.Asked(holdout=(held,), utilities=True)).tuned
    if whole is None or apart is None:
        raise SystemExit("the reference plant has no utilities")
    states = ", ".join(
        f"{count} {state}" for state, count in sorted(Counter(one.state for one in whole.figures).items())
    )
    print(f"all fits of the reference plant: {seconds:.0f} s, {cpu:.0f} s of processor; figures: {states}")
    for one, other in zip(whole.seen, apart.seen, strict=True):
        if other.held_out is None:
            continue
        stated, fit = one.in_turn.mean_error("stated"), one.in_turn.mean_error("fitted")
        short = one.in_turn.errors("fitted")[one.in_turn.labels.index(held)]
        print(
            f"{', '.join(one.gauge.meters):34s} {len(one.in_turn.labels)} months in turn: mean |error| {stated:.1%} by the file, {fit:.1%} fitted; "
            f"{held} {other.held_out.total_error('stated'):+.1%}, {other.held_out.total_error('fitted'):+.1%} (in turn {short:+.1%})"
        )


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        fitted(Path(folder) / "plant", "2025-12")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "plant"
        init.run(place, example="car-plant")
        context = open_context(place)
        twin = twin_file.read(context)
        beside = twin_utilities_file.read(context, twin)
        if beside is None:
            raise SystemExit("the reference plant has no utilities")
        line = beside.relieved(twin).line
        line = replace(line, windows=twin_file.windows(context.workspace.plant, date(2025, 1, 1), 365))
        made = usage(simulate_line(line, 365 * DAY_S, STEP_S))
        outdoors = twin_utilities.weather_on(context, beside.weather, date(2025, 1, 1), made)
    driven = twin_utilities.driven(made, outdoors)
    simulate(beside.utilities, driven)
    begun = time.perf_counter()
    ended = simulate(beside.utilities, driven)
    seconds = time.perf_counter() - begun
    kwh = sum(float(row.used["electricity"].sum()) for row in ended.rows if "electricity" in row.used)
    print(f"a year of the reference plant's utilities: {seconds:.2f} s, {len(ended.rows)} rows, {kwh / 1e6:.1f} GWh of electricity")  # fmt: skip
    network, compressors = beside.utilities.network, beside.utilities.compressors
    if network is None or ended.air is None:
        return
    wanted, _ = air_need(beside.utilities.air, driven)
    begun = time.perf_counter()
    compressed_air.run(network, compressors, wanted, STEP_S)
    seconds = time.perf_counter() - begun
    steps = compressed_air.steps_of(network, compressors, STEP_S) * driven.length
    begun = time.perf_counter()
    plain_air(network, 3000.0, 200_000, 5.0)
    theirs = 200_000 / (time.perf_counter() - begun)
    print(f"compressed air: {steps / seconds / 1e6:.1f} M steps a second with four compressors; plain Python with one {theirs / 1e6:.2f} M")  # fmt: skip
    blown = ended.air
    error = float(blown.made_nm3.sum() - blown.delivered_nm3.sum() - blown.leaked_nm3.sum() - (blown.stored_nm3[-1] - blown.stored_nm3[0]))  # fmt: skip
    first = float(blown.made_nm3[0] - blown.delivered_nm3[0] - blown.leaked_nm3[0])
    print(f"balance of air over the year: {abs(error - first) / float(np.sum(blown.made_nm3)):.1e} of what was made")


if __name__ == "__main__":
    run()
