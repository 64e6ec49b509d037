"""Inspection audit: what people find of the parts a model judged says that it passes or rejects more than it promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from datetime import date

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.episode import example_days, told
from zerofactory.monitoring.rule import INSPECTION, Audited, Episode, Example, Rule, Subject, Watched, defaults
from zerofactory.optimisation.quality.kept_promise import AtLeast, Looked, escapes, false_rejects

LOOKS = 31
"""A month is judged at the end of each of its days: each has its share of the promise."""
KINDS: tuple[tuple[Callable[[Looked, float], AtLeast | None], Text, Text], ...] = (
    (escapes, Text("漏检率", "escapes"), Text("请先复核近期放过的零件, 再用检验员的判定再训练(zf inspect train --from-queue)", "Look again at parts passed lately, then train again with inspectors' verdicts (zf inspect train --from-queue)")),
    (false_rejects, Text("误判率", "false rejects"), Text("请看相机是否变了, 再用检验员的判定再训练(zf inspect train --from-queue)", "See whether the camera has changed, then train again with inspectors' verdicts (zf inspect train --from-queue)")),
)  # fmt: skip


def find(watched: Watched) -> list[Episode]:
    """Return the spells of days at whose end the month so far is above the promise; the excess is in parts of the month."""
    audited = watched.audited
    if audited is None:
        return []
    error = watched.given["false_alarm_fraction"] / (len(KINDS) * LOOKS)
    sums, found = _month_so_far(watched, audited), []
    for kind, promised in enumerate((audited.escape_fraction, audited.false_reject_fraction)):
        if promised is None:
            continue
        beyond = [_is_beyond(kind, now, (promised, error)) for now in sums]
        for first, last in _spells(watched, beyond):
            now = sums[last - 1]
            if last > watched.first and now is not None:
                found.append(_episode(watched, kind, (max(first, watched.first), last), (now, promised, error)))
    return sorted(found, key=lambda one: one.first)


def _is_beyond(kind: int, now: Looked | None, said: tuple[float, float]) -> bool:
    rate = None if now is None else KINDS[kind][0](now, said[1])
    return rate is not None and rate.low > said[0]


def _month_so_far(watched: Watched, audited: Audited) -> list[Looked | None]:
    """Return the counts of each day's month up to its end; None for a day that is not known."""
    counts = watched.days.values[0].sum(axis=1)
    sums: list[Looked | None] = []
    so_far, month = np.zeros(6, dtype=np.int64), 0
    for place, (day, one) in enumerate(zip(watched.days.dates, audited.days, strict=True)):
        if day.month != month:
            so_far, month = np.zeros(6, dtype=np.int64), day.month
        so_far = so_far + np.array(astuple(one), dtype=np.int64)
        sums.append(Looked(*(int(value) for value in so_far)) if np.isfinite(counts[place]) else None)
    return sums


def _spells(watched: Watched, beyond: list[bool]) -> list[tuple[int, int]]:
    """Return the spells of days that are beyond; a new month begins a new one."""
    made: list[tuple[int, int]] = []
    days = watched.days.dates
    for place, flag in enumerate(beyond):
        if flag and made and made[-1][1] == place and days[place].month == days[place - 1].month:
            made[-1] = (made[-1][0], place + 1)
        elif flag:
            made.append((place, place + 1))
    return made


def _episode(watched: Watched, kind: int, span: tuple[int, int], said: tuple[Looked, float, float]) -> Episode:
    now, promised, error = said
    kept, title, then = KINDS[kind]
    rate = kept(now, error)
    value, low = (0.0, 0.0) if rate is None else (rate.value, rate.low)
    hits, of = (now.passed_bad, now.passed_seen) if kind == 0 else (now.rejected_good, now.rejected_seen)
    base = now.passed if kind == 0 else now.rejected
    excess = base * hits / of * (1.0 - promised / value)
    message = told(
        watched.subject,
        f"本月{title.zh} {value:.1%}(至少 {low:.1%}), 承诺至多 {promised:.1%}; 看过 {of} 件, 其中 {hits} 件判错。{then.zh}。",
        f"{title.en} this month {value:.1%} (at least {low:.1%}), promised {promised:.1%} at most; {hits} of {of} parts looked at were misjudged. {then.en}.",
    )
    size = watched.days.clock.slots
    return Episode(span[0] * size, span[1] * size, round(excess, 3), value, promised, message)


def _example() -> Watched:
    """Return a model that promised 5 % false rejects and, from the fourth day of the month on, rejects every fifth good part."""
    usual, bad = Looked(95, 5, 2, 0, 5, 4), Looked(80, 20, 2, 0, 20, 20)
    days = example_days(np.full((6, 1), 100.0), date(2025, 3, 1), 1440)
    subject = Subject("panels@paint", Text("面板相机", "camera of panels"), INSPECTION, "piece", "paint")
    audited = Audited((usual, usual, usual, bad, bad, bad), None, 0.05)
    return Watched(subject, days, 1, days.values[0] > 0, defaults("inspection_audit"), audited=audited)


RULE = Rule(
    "inspection_audit",
    Text("检测的漏检与误判", "escapes and false rejects of inspection"),
    "Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404; see `optimisation.quality.kept_promise`",
    (INSPECTION,),
    find,
    Example(
        Text(
            "承诺误判 5 %; 六天后 597 件好件中拒了 72 件: 多 72 − 29.85 件",
            "5 % false rejects promised; after six days 72 of 597 good parts: 72 − 29.85 too many",
        ),
        _example,
        ((5, 6, 42.15),),
    ),
)
