"""Killed anywhere: the book of instruments opens, balances, and is as it was before an act or after it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.instruments.conftest import GEC, gec

from zerofactory.runs import instrument_import, verify
from zerofactory.runs.context import Context
from zerofactory.runs.instrument_book import check, ledger

WORK = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from zerofactory.instruments.retire import Wanted
from zerofactory.periods import Period
from zerofactory.runs import instruments as run
from zerofactory.runs.context import Context
from zerofactory.store.workspace import Workspace

folder = Path(sys.argv[1])
context = lambda: Context(Workspace.open(folder), datetime(2026, 3, 1, tzinfo=UTC), "test")
told = lambda: print("done", flush=True)
while True:
    done = run.reserve(context(), run.Request("scope2_market", Period(2025), Wanted(3), "test"))
    told()
    run.retire(context(), done.claim_id, "N", "", pending=True)
    told()
    run.settle(context(), done.claim_id, True, "N", "")
    told()
    run.take_back(context(), done.claim_id, "again")
    told()
"""


@pytest.mark.slow
def test_killed_anywhere_the_book_opens_and_balances(
    green: Context, later: Callable[..., Context], export: Callable[..., Path]
) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50), gec(4, 51, 90)])], "gec")
    chance, seen = random.Random(7), 0  # noqa: S311
    for _ in range(6):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORK, str(green.workspace.folder)], stdout=subprocess.PIPE, env={**os.environ}
        )
        assert worker.stdout is not None
        for _ in range(chance.randint(1, 6)):
            worker.stdout.readline()
        time.sleep(0.1 * chance.random())
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        context = later(green)
        found = ledger(context.workspace)
        assert check(context.workspace) == []
        assert found.book.balance("held") + found.book.balance("reserved") + found.book.balance("claimed") == 90
        seen = max(seen, len(found.book.transfers))
    assert seen > 10
    assert verify.run(later(green)).problems == ()
