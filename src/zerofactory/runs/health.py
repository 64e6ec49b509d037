"""Health of measurement of a workspace: the month that runs, or one that is closed, as it was booked."""

from __future__ import annotations

from zerofactory.connectors.connection import default_rules
from zerofactory.connectors.health import read_status
from zerofactory.monitoring.health import Clock, Health, Seen, health, whole
from zerofactory.monitoring.live import Live
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.live import Follower, Look
from zerofactory.runs.profile import meter_month
from zerofactory.store.workspace import read_plant


def run(context: Context, period: Period | None = None) -> Health:
    """Return the health of the newest month, or of a month, closed or not.

    Raises
    ------
    FaultyData
        There is no reading yet.
    """
    workspace = context.workspace
    seal = workspace.seal_of(period.label) if period is not None else None
    if period is not None and seal is not None:
        plant = read_plant(workspace.evidence.find(seal["plant_sha256"]).read_text(encoding="utf-8-sig"))
        return health(whole(meter_month(context, period.label), plant), plant, clocks_of(context))
    follower = Follower(context, period)
    try:
        look = follower.look(("site",), settle=True)
        return health(_seen(follower.live, look), follower.live.plant, clocks_of(context))
    finally:
        follower.close()


def clocks_of(context: Context) -> list[Clock]:
    """Return how far each connection's clock was off ours when `zf collect` last wrote its status."""
    status = read_status(context.workspace.folder / "collect" / "status.json")
    bound = float(default_rules()["skew_warn_seconds"])
    return [
        Clock(
            name,
            str(one.get("state")),
            float(one.get("skew_seconds") or 0.0),
            float(one.get("skew_seconds") or 0.0) <= bound,
        )
        for name, one in status.get("connections", {}).items()
    ]


def _seen(live: Live, look: Look) -> Seen:
    month, now_us = live.month, look.at.timestamp() * 1e6
    ages = [(now_us - known) / 1e6 if known else None for known in month.newest_known_us.tolist()]
    return Seen(month.meter_month(), month.horizon, month.reached, ages)
