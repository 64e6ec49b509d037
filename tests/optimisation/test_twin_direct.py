"""Direct hand-over where a station reworks into its own entrance: machines that wait for something else are not asked again and again."""

from __future__ import annotations

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.optimisation.twin.line import Buffer, Failure, Line, Station, faults
from zerofactory.optimisation.twin.production import simulate

HOUR = 3600.0


def test_a_run_ends_though_machines_wait_beside_their_own_rework() -> None:
    stopped = Failure(
        Spread("fixed", 500.0), Spread("fixed", 20 * HOUR)
    )  # the last station: the buffer before it fills
    line = Line(
        (
            Station("feed", Text("", "feed"), Spread("fixed", 100.0), gives="in"),
            Station("mend", Text("", "mend"), Spread("uniform", low_s=30.0, high_s=90.0), machines=4, takes=("in",), gives="out", rework="in", rework_fraction=0.3),
            Station("last", Text("", "last"), Spread("fixed", 40.0), takes=("out",), failure=stopped),
        ),
        (Buffer("in", direct=True), Buffer("out", 2)),
    )  # fmt: skip
    assert faults(line) == []
    run = simulate(line, 10 * HOUR, 900.0, 3)
    assert run.count("made", "mend") > 10
    assert np.allclose(run.seconds.sum(axis=2), np.array([[900.0], [3600.0], [900.0]]))
    for replication in range(20):  # other orders of events
        assert simulate(line, 2 * HOUR, 900.0, 4, replication).machine_cycles > 10
