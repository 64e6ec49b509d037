"""PyJobShop on one flexible job shop: ``python pyjobshop_fjsp.py FILE SECONDS WORKERS`` prints makespan, bound and seconds as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pyjobshop import Model


def model_of(text: str) -> Model:
    """Return PyJobShop's model of an instance."""
    rows = [[int(float(part)) for part in line.split()] for line in text.splitlines() if line.strip()]
    model = Model()
    machines = [model.add_machine() for _ in range(rows[0][1])]
    for row in rows[1:]:
        job, cursor, before = model.add_job(), 1, None
        for _ in range(row[0]):
            task, count = model.add_task(job=job), row[cursor]
            for way in range(count):
                machine, ticks = row[cursor + 1 + 2 * way : cursor + 3 + 2 * way]
                model.add_mode(task, machines[machine - 1], ticks)
            if before is not None:
                model.add_end_before_start(before, task)
            before, cursor = task, cursor + 1 + 2 * count
    return model


def main() -> None:
    """Solve and print."""
    path, seconds, workers = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    model = model_of(path.read_text())
    started = time.perf_counter()
    result = model.solve(solver="ortools", time_limit=seconds, display=False, num_workers=workers)
    told = {"makespan": result.objective, "bound": result.lower_bound, "seconds": time.perf_counter() - started}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
