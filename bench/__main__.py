"""Run every bench, or those named: ``python -m bench [readings activities reading_the_book steel_works monte_carlo]``."""

from __future__ import annotations

import sys

from bench import (
    activities,
    anomaly,
    carbon_scheduling,
    collection,
    cutting,
    energy_dispatch,
    energy_sizing,
    evaluation,
    forecasting,
    hourly_matching,
    inspection,
    inspection_queue,
    instruments,
    live,
    logistics,
    monte_carlo,
    package,
    reading_the_book,
    readings,
    records_store,
    restate,
    roadmap,
    scheduling,
    server,
    steel_works,
    stored_readings,
    twin,
    twin_calibration,
    twin_residual,
    twin_utilities,
)

BENCHES = {
    "readings": readings.run,
    "monte_carlo": monte_carlo.run,
    "activities": activities.run,
    "reading_the_book": reading_the_book.run,
    "records_store": records_store.run,
    "steel_works": steel_works.run,
    "forecasting": forecasting.run,
    "restate": restate.run,
    "roadmap": roadmap.run,
    "package": package.run,
    "collection": collection.run,
    "cutting": cutting.run,
    "energy_sizing": energy_sizing.run,
    "energy_dispatch": energy_dispatch.bench,
    "evaluation": evaluation.run,
    "instruments": instruments.run,
    "live": live.run,
    "logistics": logistics.run,
    "anomaly": anomaly.run,
    "server": server.run,
    "hourly_matching": hourly_matching.run,
    "stored_readings": stored_readings.run,
    "scheduling": scheduling.run,
    "carbon_scheduling": carbon_scheduling.run,
    "twin": twin.run,
    "twin_utilities": twin_utilities.run,
    "twin_calibration": twin_calibration.run,
    "twin_residual": twin_residual.run,
    "inspection": inspection.run,
    "inspection_queue": inspection_queue.run,
}


def main() -> int:
    """Run benches by name; all when none is named."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench named {', '.join(unknown)}; there are {', '.join(BENCHES)}")
        return 2
    for name in names:
        BENCHES[name]()
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
