"""Rate of change: from one interval to the next a flow jumps further than it ever did."""

from __future__ import annotations

from datetime import date

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.episode import example_days, known, rate, spells, told
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults


def find(watched: Watched) -> list[Episode]:
    """Return the jumps beyond the limit stated, else beyond the greatest seen before × margin; excess: one slot of the jump."""
    flow = watched.flow
    step = np.diff(flow, prepend=flow[:1])
    limit = watched.given.get("limit_per_hour")
    if limit is None:
        before = known(np.abs(step[: watched.start]))
        if watched.first < watched.given["shortest_days"] or not len(before) or before.max() <= 0.0:
            return []
        limit = float(before.max()) * watched.given["change_margin"]
    jumped = np.nan_to_num(np.abs(step)) > limit
    made = []
    for first, last in spells(jumped, 1, watched.start):
        value = float(step[first])
        shown = rate(abs(value), watched.subject), rate(limit, watched.subject)
        zh, en = ("突升", "rose") if value > 0 else ("突降", "fell")
        message = told(
            watched.subject,
            f"{zh} {shown[0]}, 历来不超过 {shown[1]}",
            f"{en} by {shown[0]}, never more than {shown[1]} before",
        )
        made.append(Episode(first, last, value * watched.slot_hours, value, limit, message))
    return made


def _example() -> Watched:
    values = np.tile(np.where(np.arange(24) < 12, 10.0, 30.0), (15, 1))
    values[14, 5] = 90.0
    subject = Subject("E1", Text("进线", "incomer"), "electricity", "kWh")
    days = example_days(values, date(2025, 3, 3))
    return Watched(subject, days, 14, np.ones((15, 24), dtype=np.bool_), defaults("rate_of_change"))


RULE = Rule(
    "rate_of_change",
    Text("变化率", "rate of change"),
    "IEC 62682:2022, 3.1 (rate-of-change alarm)",
    (),
    find,
    Example(
        Text("历来每小时至多变化 20 kW, 5 时升 80、6 时降 80", "20 kW an hour at most before; +80 at 5, −80 at 6"),
        _example,
        ((14 * 24 + 5, 14 * 24 + 7, 80.0),),
    ),
)
