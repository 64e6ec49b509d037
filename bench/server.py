"""The server over a closed year of the reference plant: requests a second, the pages at 50 users, live events, memory.

``trivial`` is a FastAPI application whose one route returns a constant, run by the same uvicorn in the same way and asked by
the same clients. The clients are threads of this process on the same machine, so they take their share of its cores.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import psutil

from bench.reading_the_book import build
from zerofactory.connectors.sample import Sample, to_us
from zerofactory.connectors.spool import Spool
from zerofactory.runs import access
from zerofactory.runs.context import clock, open_context, stamp
from zerofactory.store.access import ANY_SITE, AccessStore

USERS, SECONDS = 50, 10.0
TRIVIAL = "import sys, uvicorn; from fastapi import FastAPI; app = FastAPI(); app.get('/v1/inventory')(lambda: {'total': 1}); uvicorn.run(app, port=int(sys.argv[1]), log_level='warning')"
EVENTS, TABS = 20, 10
PAGES = {"overview": "/", "inventory": "/inventory?period=2025"}


class Asker:
    """Threads that ask one address over kept connections until the time is up."""

    def __init__(self, port: int, path: str, headers: dict[str, str], users: int, status: int = 200) -> None:
        self.port, self.path, self.headers, self.users, self.status = port, path, headers, users, status
        self.seconds: list[float] = []
        self.failures = 0

    def run(self, pause: float = 0.0) -> None:
        """Ask for ``SECONDS``; each user waits ``pause`` between two requests."""
        threads = [threading.Thread(target=self._ask, args=(pause, n)) for n in range(self.users)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask(self, pause: float, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        time.sleep(pause * number / self.users)
        ends = time.perf_counter() + SECONDS
        while time.perf_counter() < ends:
            started = time.perf_counter()
            connection.request("GET", self.path, headers=self.headers)
            answer = connection.getresponse()
            answer.read()
            self.failures += answer.status != self.status
            self.seconds.append(time.perf_counter() - started)
            time.sleep(max(0.0, pause - self.seconds[-1]))
        connection.close()

    def told(self) -> str:
        """Return the rate and the percentiles."""
        if not self.seconds:
            return "no answer"
        p50, p95 = (float(np.percentile(self.seconds, q)) * 1000 for q in (50, 95))
        return f"{len(self.seconds) / SECONDS:8,.0f} /s   median {p50:7.1f} ms   p95 {p95:7.1f} ms   failed {self.failures}"


def started(command: Sequence[str], port: int, path: str) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    )
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", path)
            connection.getresponse().read()
            return process
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"no answer from {command[:3]}")


def run() -> None:
    """Print what the server does."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "plant"
        build(folder)
        store, now = AccessStore.in_folder(folder), clock()
        user = store.add_user("bench", "bench", "", at=stamp(now))
        store.grant(user.user_id, ANY_SITE, "manager")
        person = access.Person(user, {ANY_SITE: "manager"})
        token = access.new_token(store, person, access.TokenAsked("bench", ("read",)), now)[0]
        session = access.open_session(store, user, now)[0]
        ours = started(
            [sys.executable, "-m", "zerofactory.cli", "serve", "-w", str(folder), "--port", "18091"], 18091, "/login"
        )
        plain = started([sys.executable, "-c", TRIVIAL, "18092"], 18092, "/v1/inventory")
        try:
            print(f"Server over the closed year of the reference plant; {USERS} users, one process")
            measure(token, session, ours.pid)
            live(token, folder)
            opened(session, ours.pid)
        finally:
            ours.terminate()
            plain.terminate()


def measure(token: str, session: str, pid: int) -> None:
    """Ask both servers and print the figures."""
    bearer = {"Authorization": f"Bearer {token}"}
    rates = {}
    connection = http.client.HTTPConnection("127.0.0.1", 18091, timeout=60)
    connection.request("GET", "/v1/inventory?period=2025", headers=bearer)
    answer = connection.getresponse()
    answer.read()
    known = {**bearer, "If-None-Match": answer.headers["ETag"]}
    asked = (
        ("trivial FastAPI endpoint", 18092, bearer, 200),
        ("GET /v1/inventory", 18091, bearer, 200),
        ("the same, known (304)", 18091, known, 304),
    )
    for name, port, headers, status in asked:
        asker = Asker(port, "/v1/inventory?period=2025", headers, 8, status)
        asker.run()
        rates[name] = len(asker.seconds)
        print(f"  {name:28} {asker.told()}")
    for name in list(rates)[1:]:
        print(f"  {name + ' / trivial':44} {rates[name] / rates['trivial FastAPI endpoint']:.2f}")
    process = psutil.Process(pid)
    cookie = {"Cookie": f"zf_session={session}"}
    for name, path in PAGES.items():
        before = process.memory_info().rss
        asker = Asker(18091, path, cookie, USERS)
        asker.run(pause=5.0)
        grown = (process.memory_info().rss - before) / 1e6 / max(len(asker.seconds), 1)
        print(f"  page {name:23} {asker.told()}   {grown:.2f} MB a page")
    print(f"  resident memory of the server {process.memory_info().rss / 1e6:.0f} MB")


def live(token: str, folder: Path) -> None:
    """Print how long after a reading is in the collector's file the event with it reaches a reader of the stream over HTTP."""
    spool = Spool(folder / "collect" / "spool", 1 << 26, 1 << 22)
    meter = next(one.id for one in open_context(folder).workspace.plant.meters if one.kind == "interval")
    slot = round(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))).timestamp()) * 1_000_000

    def one_more(number: int) -> float:
        spool.write([Sample(meter, slot + number * 900_000_000, to_us(datetime.now(UTC)), 7.0 + number)])
        return time.perf_counter()

    numbers = itertools.count()
    one_more(next(numbers))
    connection = http.client.HTTPConnection("127.0.0.1", 18091, timeout=60)
    path = "/v1/live/events?by=all&every=0.2&seconds=120"
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    seconds: list[float] = []
    written = 0.0
    for line in connection.getresponse():
        event = json.loads(line[5:]) if line.startswith(b"data:") else None
        if event is None or (written and not event["rows"]):
            continue
        if written and event["event"] == "delta":
            seconds.append(time.perf_counter() - written)
        if len(seconds) >= EVENTS:
            break
        time.sleep(0.5)
        written = one_more(next(numbers))
    connection.close()
    spool.close()
    p50, p95 = (float(np.percentile(seconds, q)) * 1000 for q in (50, 95))
    print(
        f"  live event over HTTP         median {p50:.0f} ms, p95 {p95:.0f} ms after the reading is on disk (looked at every 200 ms)"
    )


def opened(session: str, pid: int) -> None:
    """Print what pages that stay open in a real browser cost the server each."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("  memory per open page         skipped: no Chromium on this machine")
        return
    from playwright.sync_api import sync_playwright

    process = psutil.Process(pid)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context()
        context.add_cookies([{"name": "zf_session", "value": session, "url": "http://127.0.0.1:18091"}])
        for name, path in PAGES.items():
            before = process.memory_info().rss
            for _ in range(TABS):
                page = context.new_page()
                page.goto(f"http://127.0.0.1:18091{path}")
                page.wait_for_function("window.socket?.connected ?? true")
            grown = (process.memory_info().rss - before) / 1e6 / TABS
            print(f"  open page {name:18} {grown:.2f} MB each, {TABS} tabs connected")
        browser.close()
