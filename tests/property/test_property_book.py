"""The book: the way files, months and corrections come in decides nothing about what it says."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from zerofactory.errors import FaultyData
from zerofactory.periods import Period
from zerofactory.runs import close, import_data, inventory, reverse, verify
from zerofactory.runs.context import Context
from zerofactory.store.schema import ACTIVITIES, RECORDS, SEALS

SLOW = settings(  # a book each: few examples, and a failing one is shown as it is
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
ISO = "iso_14064_1_2018"
YEAR, JANUARY = Period(2025), Period(2025, 1)
OUT_OF_ORDER = (12, 3, 1, 7, 2, 11, 4, 6, 10, 5, 9, 8)
STEPS = st.lists(
    st.tuples(st.sampled_from(["book", "reverse", "book", "revise"]), st.integers(1, 4), st.floats(0.5, 50.0)),
    min_size=3,
    max_size=9,
)
pytestmark = pytest.mark.slow


def standing(context: Context, table: Any) -> pl.DataFrame:
    """Return the standing rows of a table without the file they came in."""
    frame = context.workspace.journal.active(table)
    return frame.drop("reverses", "evidence", strict=False).sort(table.key[0])


@SLOW
@given(order=st.permutations(range(5)), seed=st.integers(0, 99))
def test_order_of_rows_and_files_decides_nothing(desk: Any, order: list[int], seed: int) -> None:
    lines = [f"diesel,2025-0{month}-01,2025-0{month}-28,{month * 1.25},t,,结算,D{month}," for month in (1, 2)]
    lines.append("grease,2025-01-10,2025-02-09,120.5,kg,,结算,G1,")
    together, apart = desk.book(), desk.book()
    import_data.run(desk.opened(together), [desk.readings((1, 2)), desk.form(lines)])
    files = [desk.readings((month,), seed + month) for month in (1, 2)] + [desk.form([line]) for line in lines]
    for place in order:
        import_data.run(desk.opened(apart), [files[place]])
    books = []
    for folder in (together, apart):
        desk.close(folder, (1, 2))
        books.append(desk.opened(folder))
    assert standing(books[0], RECORDS).equals(standing(books[1], RECORDS))
    for month in (1, 2):
        totals = {inventory.read(book, Period(2025, month), ISO, "location", "source").total_gco2e for book in books}
        assert len(totals) == 1


def test_closing_months_one_by_one_is_closing_the_year(desk: Any) -> None:
    readings = desk.readings(range(1, 13))
    form = desk.form(["diesel,2025-01-01,2025-12-31,12,t,,结算,D1,", "grease,2025-03-05,2025-08-20,77.7,kg,,结算,G1,"])
    books = []
    for order in (None, range(1, 13), OUT_OF_ORDER):
        folder = desk.book()
        import_data.run(desk.opened(folder), [readings, form])
        if order is None:
            close.run(desk.opened(folder), YEAR, known_at=desk.known_at)
        else:
            desk.close(folder, order)
        books.append(desk.opened(folder))
        assert verify.run(books[-1]).clean
    sealed = ["period", "revision", "intervals_sha256", "activities", "records", "total_gco2e"]
    seals = [book.workspace.journal.rows(SEALS).select(sealed).sort("period") for book in books]
    for number, book in enumerate(books):
        assert standing(books[0], RECORDS).equals(standing(book, RECORDS))
        assert standing(books[0], ACTIVITIES).equals(standing(book, ACTIVITIES))
        assert seals[0].equals(seals[number])
    assert len({inventory.read(book, YEAR, ISO, "location", "shop").total_gco2e for book in books}) == 1


@SLOW
@given(steps=STEPS, close_at=st.integers(0, 3))
def test_any_sequence_of_reversals_keeps_the_book_whole(
    desk: Any, steps: list[tuple[str, int, float]], close_at: int
) -> None:
    folder = desk.book()
    import_data.run(desk.opened(folder), [desk.readings((1,))])
    booked: dict[str, float] = {}
    for number, (step, day, amount) in enumerate(steps):
        if number == close_at:
            desk.close(folder, (1,))
        is_closed, context, document = number >= close_at, desk.opened(folder), f"D{day}"
        if step == "revise" and is_closed:
            close.run(context, JANUARY, known_at=desk.known_at, revise=True, reason=f"step {number}")
        elif step == "reverse" and document in booked:
            reverse.run(context, document, f"step {number}", into_closed=is_closed)
            del booked[document]
        elif step == "reverse":
            with pytest.raises(FaultyData):
                reverse.run(context, document, f"step {number}", into_closed=is_closed)
        elif step == "book" and document not in booked:
            booked[document] = round(amount, 3)
            line = f"diesel,2025-01-0{day},2025-01-0{day},{booked[document]},t,,结算,{document},step {number}"
            import_data.run(context, [desk.form([line])], into_closed=is_closed)
        verdict = verify.run(desk.opened(folder))
        assert verdict.clean, [problem.sentence("en") for problem in verdict.problems]
    is_closed = len(steps) > close_at
    close.run(desk.opened(folder), JANUARY, known_at=desk.known_at, revise=is_closed, reason="end" if is_closed else "")
    after = desk.opened(folder)
    assert verify.run(after).clean
    active = after.workspace.journal.active(ACTIVITIES, {"source_id": "diesel"})
    assert dict(active.select("document", "quantity").iter_rows()) == booked
    co2 = after.workspace.journal.active(RECORDS, {"source_id": "diesel", "gas": "CO2"})
    assert co2["quantity"].sum() == pytest.approx(sum(booked.values()))
