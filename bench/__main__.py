"""Run every bench, or those named: ``python -m bench [readings activities reading_the_book steel_works monte_carlo]``."""

from __future__ import annotations

import sys

from bench import (
    activities,
    anomaly,
    collection,
    energy_dispatch,
    energy_sizing,
    evaluation,
    forecasting,
    hourly_matching,
    instruments,
    live,
    monte_carlo,
    package,
    reading_the_book,
    readings,
    restate,
    roadmap,
    server,
    steel_works,
    stored_readings,
)

BENCHES = {
    "readings": readings.run,
    "monte_carlo": monte_carlo.run,
    "activities": activities.run,
    "reading_the_book": reading_the_book.run,
    "steel_works": steel_works.run,
    "forecasting": forecasting.run,
    "restate": restate.run,
    "roadmap": roadmap.run,
    "package": package.run,
    "collection": collection.run,
    "energy_sizing": energy_sizing.run,
    "energy_dispatch": energy_dispatch.bench,
    "evaluation": evaluation.run,
    "instruments": instruments.run,
    "live": live.run,
    "anomaly": anomaly.run,
    "server": server.run,
    "hourly_matching": hourly_matching.run,
    "stored_readings": stored_readings.run,
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
