"""The event stream: one whole snapshot, then only what changed, each with a version that counts up by one.

    {"event": "snapshot", "version": 1, "at": …, "totals": {…}, "rows": {key: {…}}}
    {"event": "delta",    "version": 2, "at": …, "totals": {…}, "rows": {key: {changed columns}}, "gone": [key]}

A reader that misses a version asks for a snapshot. As JSON lines (`line`) or as server-sent events (`server_sent`; WHATWG
HTML Living Standard, clause 9.2). `merged` is what a reader does; a test holds that it gives back the snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from zerofactory.errors import Text
from zerofactory.monitoring.live import Figure, Snapshot, carrier_title

Row = dict[str, object]
Event = dict[str, object]
SNAPSHOT_EVERY = 600  # events: a reader that came late or lost one is whole again at the latest then


def row_of(figure: Figure) -> Row:
    """Return a figure as plain JSON values; moments in UTC."""
    return {
        "level": figure.level,
        "id": figure.id,
        "name": _both(figure.name),
        "carrier": figure.carrier,
        "carrier_title": _both(carrier_title(figure.carrier)),
        "unit": figure.unit,
        "rate_per_hour": _rounded(figure.rate_per_hour),
        "power_kw": _rounded(figure.power_kw),
        "amount_today": _rounded(figure.amount_today),
        "amount_month": _rounded(figure.amount_month),
        "today_cny": _rounded(figure.today_cny, 2),
        "month_cny": _rounded(figure.month_cny, 2),
        "today_gco2e": figure.today_gco2e,
        "month_gco2e": figure.month_gco2e,
        "estimated_fraction": round(figure.estimated_fraction, 6),
        "until": iso(figure.until),
        "note": _both(figure.note) if figure.note.zh else None,
    }


def totals_of(snapshot: Snapshot) -> Row:
    """Return what a snapshot says of the plant as a whole; ``age_seconds`` is for whoever has a clock to add."""
    return {
        "period": snapshot.period,
        "total_gco2e": snapshot.total_gco2e,
        "documents_gco2e": snapshot.documents_gco2e,
        "data_until": iso(snapshot.data_until),
        "newest_known_at": _iso_us(snapshot.newest_known_us),
        "meters": snapshot.meters,
        "meters_reporting": snapshot.meters_reporting,
        "meters_late": snapshot.meters_late,
        "estimated_fraction": round(snapshot.estimated_fraction, 6),
        "unsettled": snapshot.unsettled,
        "is_over": snapshot.is_over,
        "price": _both(snapshot.price_note),
        "problems": [problem.as_json() for problem in snapshot.problems],
    }


@dataclass(slots=True)
class Stream:
    """Turns snapshots into events for one reader."""

    version: int = 0
    rows: dict[str, Row] = field(default_factory=dict)

    def event(self, snapshot: Snapshot, at: datetime, more: Mapping[str, object] | None = None) -> Event:
        """Return the next event.

        Parameters
        ----------
        at : datetime
            When the snapshot was taken, aware.
        more : mapping, optional
            Further totals (the seal, the age of the newest reading).
        """
        rows = {figure.key: row_of(figure) for figure in snapshot.figures}
        whole = self.version % SNAPSHOT_EVERY == 0
        self.version += 1
        head: Event = {"event": "snapshot" if whole else "delta", "version": self.version, "at": iso(at)}
        head["totals"] = totals_of(snapshot) | dict(more or {})
        if whole:
            head["rows"] = rows
        else:
            changed = {key: _changed(self.rows.get(key), row) for key, row in rows.items()}
            head["rows"] = {key: row for key, row in changed.items() if row}
            head["gone"] = sorted(set(self.rows) - set(rows))
        self.rows = rows
        return head


def merged(rows: Mapping[str, Row], event: Mapping[str, object]) -> dict[str, Row]:
    """Return a reader's rows after one event.

    Examples
    --------
    >>> merged({"a": {"x": 1, "y": 2}}, {"event": "delta", "rows": {"a": {"x": 5}}, "gone": []})
    {'a': {'x': 5, 'y': 2}}
    """
    given: Mapping[str, Row] = event["rows"]  # type: ignore[assignment]
    if event["event"] == "snapshot":
        return dict(given)
    gone: list[str] = event.get("gone", [])  # type: ignore[assignment]
    kept = {key: row for key, row in rows.items() if key not in gone}
    return kept | {key: kept.get(key, {}) | row for key, row in given.items()}


def line(event: Mapping[str, object]) -> str:
    """Return an event as one JSON line."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def server_sent(event: Mapping[str, object]) -> str:
    """Return an event as server-sent event text.

    Examples
    --------
    >>> print(server_sent({"event": "delta", "version": 7, "rows": {}}), end="")
    id: 7
    event: delta
    data: {"event":"delta","version":7,"rows":{}}
    <BLANKLINE>
    """
    return f"id: {event['version']}\nevent: {event['event']}\ndata: {line(event)}\n"


def iso(moment: datetime | None) -> str | None:
    """Return a moment in UTC to the second, as in JSON everywhere."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _changed(before: Row | None, row: Row) -> Row:
    if before is None:
        return row
    return {name: value for name, value in row.items() if before.get(name) != value}


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _iso_us(us: int) -> str | None:
    return iso(datetime.fromtimestamp(us / 1e6, UTC)) if us else None
