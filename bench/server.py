"""The server over a closed year of the reference plant: requests a second, the pages at 50 users, memory.

``trivial`` is a FastAPI application whose one route returns a constant, run by the same uvicorn in the same way and asked by
the same clients. The clients are threads of this process on the same machine, so they take their share of its cores.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from bench.reading_the_book import build
from zerofactory.runs import access
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore

USERS, SECONDS = 50, 10.0
TRIVIAL = "import sys, uvicorn; from fastapi import FastAPI; app = FastAPI(); app.get('/v1/inventory')(lambda: {'total': 1}); uvicorn.run(app, port=int(sys.argv[1]), log_level='warning')"
PAGES = {"overview": "/", "inventory": "/inventory?period=2025"}


class Asker:
    """Threads that ask one address over kept connections until the time is up."""

    def __init__(self, port: int, path: str, headers: dict[str, str], users: int) -> None:
        self.port, self.path, self.headers, self.users = port, path, headers, users
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
            self.failures += answer.status != 200
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
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
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
        finally:
            ours.terminate()
            plain.terminate()


def measure(token: str, session: str, pid: int) -> None:
    """Ask both servers and print the figures."""
    bearer = {"Authorization": f"Bearer {token}"}
    rates = {}
    for name, port in (("trivial FastAPI endpoint", 18092), ("GET /v1/inventory", 18091)):
        asker = Asker(port, "/v1/inventory?period=2025", bearer, 8)
        asker.run()
        rates[name] = len(asker.seconds)
        print(f"  {name:28} {asker.told()}")
    print(f"  {'ours / trivial':28} {rates['GET /v1/inventory'] / rates['trivial FastAPI endpoint']:.2f}")
    process = psutil.Process(pid)
    cookie = {"Cookie": f"zf_session={session}"}
    for name, path in PAGES.items():
        before = process.memory_info().rss
        asker = Asker(18091, path, cookie, USERS)
        asker.run(pause=5.0)
        grown = (process.memory_info().rss - before) / 1e6 / max(len(asker.seconds), 1)
        print(f"  page {name:23} {asker.told()}   {grown:.2f} MB a page")
    print(f"  resident memory of the server {process.memory_info().rss / 1e6:.0f} MB")
