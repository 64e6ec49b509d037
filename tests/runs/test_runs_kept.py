"""What is kept: made once however many ask at once, made again after a failure, bounded."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from zerofactory.runs.kept import Kept


def test_many_who_ask_at_once_have_it_made_once() -> None:
    kept, made, together, go_on = Kept(4), [], threading.Barrier(9), threading.Event()

    def make() -> int:
        made.append(threading.get_ident())
        go_on.wait(5.0)
        return 42

    def ask(_: int) -> int:
        together.wait(5.0)
        return kept.get("figure", make)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, n) for n in range(8)]
        together.wait(5.0)
        go_on.set()
        assert [one.result() for one in asked] == [42] * 8
    assert len(made) == 1


def test_a_failure_is_told_to_all_who_waited_and_kept_by_nobody() -> None:
    kept, begun, go_on = Kept(4), threading.Event(), threading.Event()

    def fail() -> int:
        begun.set()
        go_on.wait(5.0)
        raise ValueError("no figure")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "figure", fail)
        begun.wait(5.0)
        second = pool.submit(kept.get, "figure", fail)
        go_on.set()
        for one in (first, second):
            with pytest.raises(ValueError, match="no figure"):
                one.result()
    assert kept.get("figure", lambda: 7) == 7


def test_the_oldest_goes_and_bytes_are_bounded() -> None:
    kept = Kept(2, most_bytes=10)
    assert [kept.get(name, lambda name=name: name) for name in "abc"] == ["a", "b", "c"]  # type: ignore[misc]
    assert kept.get("c", lambda: "again") == "c"
    assert kept.get("a", lambda: "again") == "again"
    kept.get("x", lambda: b"12345678")
    kept.get("y", lambda: b"12345678")
    assert kept.get("x", lambda: b"new") == b"new"


def test_what_is_made_of_itself_is_told_and_does_not_hang() -> None:
    kept = Kept(4)
    with pytest.raises(RuntimeError, match="of itself"):
        kept.get("figure", lambda: kept.get("figure", lambda: 1))
    assert kept.get("figure", lambda: kept.get("part of it", lambda: 42)) == 42
