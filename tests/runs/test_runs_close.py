"""Close, verify, inventory, explain: sealed months recompute, broken ones are named, killed work leaves nothing half."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.database import meddling, on_sqlite_only

from zerofactory.errors import BookClosed, FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import close, electricity, explain, import_data, inventory, verify
from zerofactory.runs.context import Context
from zerofactory.runs.intervals import sealed_month
from zerofactory.store.schema import ACTIVITIES, RECORDS, SEALS
from zerofactory.store.workspace import Workspace

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]
YEAR = Period(2025)
ALL = tuple(range(1, 13))


@pytest.fixture
def closed(small: Context, write_readings: Writer, write_form: Writer, reopen: Reopen) -> Context:
    """Return the small plant with a closed year."""
    import_data.run(
        small,
        [
            write_readings(*ALL),
            write_form(
                "diesel,2025-01-01,2025-12-31,12,t,,结算,D1,", "vehicles,2025-01-01,2025-12-31,1200,vehicle,,,P1,"
            ),
        ],
    )
    close.run(reopen(small), YEAR, known_at=date(2026, 1, 15))
    return reopen(small)


def test_closed_year_adds_up_by_hand(closed: Context) -> None:
    result = inventory.read(closed, YEAR, "iso_14064_1_2018", "location", "source")
    lines = {line.key: line.emissions_gco2e for line in result.lines}
    kwh = closed.workspace.journal.active(RECORDS, {"source_id": "electricity", "regime": "location"})["quantity"].sum()
    assert lines["electricity"] == pytest.approx(kwh * 573.7, abs=12)
    nm3 = sum(2.5 * 96 * days for days in (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31))
    co2 = closed.workspace.journal.active(RECORDS, {"source_id": "gas-ovens", "gas": "CO2"})["emissions_gco2e"].sum()
    assert co2 == pytest.approx(nm3 / 1e4 * 389.31 * 15.3 * 0.99 * 44 / 12 * 1e3, abs=12)
    assert result.total_gco2e == sum(lines.values())
    assert sum(line.share_fraction for line in result.lines) == pytest.approx(1.0)


def test_every_cut_has_the_same_total(closed: Context) -> None:
    totals = {by: inventory.read(closed, YEAR, "iso_14064_1_2018", "location", by) for by in inventory.CUTS}
    assert len({result.total_gco2e for result in totals.values()}) == 1
    assert all(sum(line.emissions_gco2e for line in result.lines) == result.total_gco2e for result in totals.values())


def test_json_form_has_the_promised_keys(closed: Context) -> None:
    plain = json.loads(json.dumps(inventory.as_json(inventory.read(closed, YEAR, "cn_machinery_2015"))))
    assert isinstance(plain["total_gco2e"], int)
    assert {"key", "title", "emissions_gco2e", "share_fraction"} == set(plain["lines"][0])


def test_unclosed_months_unknown_standard_cut_and_regime_are_said(small: Context) -> None:
    with pytest.raises(FaultyData, match="Not closed"):
        inventory.read(small, YEAR, "iso_14064_1_2018")
    for standard, regime, by in (
        ("nothing", None, "shop"),
        ("iso_14064_1_2018", "hourly", "shop"),
        ("iso_14064_1_2018", None, "colour"),
    ):
        with pytest.raises(NotFound) as caught:
            inventory.read(small, YEAR, standard, regime, by)
        assert caught.value.choices


def test_closing_again_changes_nothing(closed: Context, reopen: Reopen) -> None:
    head = verify.run(closed).head
    with pytest.raises(BookClosed):
        close.run(reopen(closed), Period(2025, 3))
    assert {month.status for month in close.run(reopen(closed), YEAR)} == {"already_closed"}
    assert verify.run(reopen(closed)).head == head


def test_the_present_month_cannot_be_closed(small: Context) -> None:
    with pytest.raises(FaultyData, match="not over"):
        close.run(small, Period(2026, 1))


def test_a_month_without_readings_is_not_closed_in_silence(
    small: Context, write_readings: Writer, reopen: Reopen
) -> None:
    import_data.run(small, [write_readings(1)])
    with pytest.raises(FaultyData) as caught:
        close.run(reopen(small), YEAR)
    assert {problem.code for problem in caught.value.problems if problem.severity == "error"} == {"month.unfilled"}
    assert small.workspace.journal.rows(SEALS).is_empty()


def test_another_gwp_set_asks_for_a_revision_and_then_recomputes(closed: Context, reopen: Reopen) -> None:
    before = inventory.read(closed, YEAR, "iso_14064_1_2018", "location", "gas")
    plant = closed.workspace.folder / "factory.toml"
    plant.write_text(plant.read_text(encoding="utf-8") + '\n[accounting]\ngwp_set = "AR4"\n', encoding="utf-8")
    with pytest.raises(FaultyData, match="GWP"):
        inventory.read(reopen(closed), YEAR, "iso_14064_1_2018")
    assert verify.run(reopen(closed)).clean, "a closed month is verified with the plant file it was closed with"
    close.run(reopen(closed), YEAR, known_at=date(2026, 1, 15), revise=True, reason="改用 AR4")
    after = inventory.read(reopen(closed), YEAR, "iso_14064_1_2018", "location", "gas")
    old, new = dict(before.by_gas_gco2e), dict(after.by_gas_gco2e)
    assert old["CO2"] == new["CO2"]
    assert new["CH4"] / old["CH4"] == pytest.approx(25 / 29.8, rel=1e-4)
    assert new["N2O"] / old["N2O"] == pytest.approx(298 / 273, rel=1e-4)
    assert verify.run(reopen(closed)).clean


def test_explain_goes_down_to_readings_factor_and_document(closed: Context) -> None:
    def flat(node: explain.Node) -> str:
        return " ".join([node.title.en, node.value.en, *(flat(child) for child in node.children)])

    gas = flat(explain.run(closed, "gas-ovens@2025-03"))
    for part in (
        "389.31 GJ/万Nm3",
        "15.3 tC/TJ",
        "0.99",
        "GWP",
        "oven gas",
        "2025-03-01 00:00",
        "sealed/2025-03.r0.readings.parquet",
    ):
        assert part in gas
    document = flat(explain.run(closed, "D1"))
    for part in ("42.652 GJ/t", "form.csv", "SHA-256", "evidence/"):
        assert part in document
    record = closed.workspace.journal.active(RECORDS)["record_id"][0]
    assert explain.run(closed, record).children
    for figure in ("2.1@2025", "paint@2025", "electricity", "stationary_combustion@2025-02"):
        assert explain.run(closed, figure).children
    with pytest.raises(NotFound):
        explain.run(closed, "nothing@2025")


def tampered(context: Context, sql: str) -> None:
    with meddling(context.workspace.folder) as connection:
        connection.drop_guards()
        assert connection.execute(sql).rowcount == 1


def test_a_changed_record_is_named(closed: Context, reopen: Reopen) -> None:
    record = closed.workspace.journal.active(RECORDS)["record_id"][5]
    tampered(closed, f"UPDATE records SET emissions_gco2e = emissions_gco2e - 1 WHERE record_id = '{record}'")
    verdict = verify.run(reopen(closed))
    codes = {problem.code for problem in verdict.problems}
    assert {"store.row_changed", "verify.differs"} <= codes
    assert any(record in problem.message.en and "emissions_gco2e" in problem.message.en for problem in verdict.problems)


def test_a_flipped_byte_in_sealed_readings_is_named(closed: Context, reopen: Reopen) -> None:
    path = closed.workspace.folder / "series/sealed/2025-04.r0.readings.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    verdict = verify.run(reopen(closed))
    assert any(
        problem.code == "store.series_changed" and "2025-04" in str(problem.file) for problem in verdict.problems
    )


def test_a_dropped_guard_is_named(closed: Context, reopen: Reopen) -> None:
    assert verify.run(closed).clean
    with meddling(closed.workspace.folder) as connection:
        connection.drop_guard("records", "UPDATE")
        connection.drop_guard("seals", "DELETE")
        connection.put_toothless_guard("seals", "DELETE")
    problems = verify.run(reopen(closed)).problems
    assert [problem.code for problem in problems] == ["store.guard_missing"] * 2
    assert {"records_refuses_update", "seals_refuses_delete"} == {
        name
        for problem in problems
        for name in problem.message.en.split()
        if "refuses" in name
        for name in [name.strip(",")]
    }


def rechained(context: Context, table: str, change: str) -> None:
    """Change a row and mend every hash after it, as one would who knows how the chain is made."""
    from zerofactory.store import journal

    with meddling(context.workspace.folder) as connection:
        guards = connection.drop_guards()
        assert connection.execute(f"UPDATE {table} SET {change} WHERE row_number = 1").rowcount == 1
        previous, heads = journal.GENESIS, {}
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY row_number").fetchall()
        for number, *content, entry, _ in rows:
            previous = journal._row_hash(previous, entry, content)
            connection.execute(f"UPDATE {table} SET row_hash = ? WHERE row_number = ?", (previous, number))
            heads[entry] = [number, previous]
        before, head = journal.GENESIS, [0, journal.GENESIS]
        for seq, at, kind, actor, payload, said in connection.execute(
            "SELECT seq, at, kind, actor, payload, heads FROM journal ORDER BY seq"
        ).fetchall():
            head = heads.get(seq, head)
            text = journal.canonical({**json.loads(said), table: head})
            entry_content = {"seq": seq, "at": at, "kind": kind, "actor": actor, "payload": payload, "heads": text}
            digest = journal._sha256(before + journal.canonical(entry_content))
            connection.execute(
                "UPDATE journal SET heads = ?, previous_hash = ?, hash = ? WHERE seq = ?", (text, before, digest, seq)
            )
            before = digest
        for sql in guards:
            connection.execute(sql)


def test_a_seal_whose_total_was_changed_with_all_its_hashes_is_named(closed: Context, reopen: Reopen) -> None:
    rechained(closed, "seals", "total_gco2e = total_gco2e - 1000000")
    problems = verify.run(reopen(closed)).problems
    assert [problem.code for problem in problems] == ["verify.seal"]
    assert "total_gco2e" in problems[0].message.en


def test_a_quality_note_that_was_changed_with_all_its_hashes_is_named(closed: Context, reopen: Reopen) -> None:
    rechained(closed, "quality", "count = count + 1")
    problems = verify.run(reopen(closed)).problems
    assert [problem.code for problem in problems] == ["verify.differs"]
    assert "quality" in problems[0].message.en


def test_what_will_be_known_is_not_known(closed: Context, reopen: Reopen) -> None:
    with pytest.raises(FaultyData, match="lies after today"):
        close.run(reopen(closed), Period(2025, 3), known_at=date(2026, 1, 16), revise=True, reason="x")


def test_missing_evidence_is_named(closed: Context, reopen: Reopen) -> None:
    (path,) = closed.workspace.folder.glob("evidence/*/*.csv")
    path.unlink()
    assert {problem.code for problem in verify.run(reopen(closed)).problems} == {"verify.evidence_missing"}


def build(folder: Path, readings: Path, form: Path, order: str) -> pl.DataFrame:
    """Build the small plant in a process of its own with a fixed clock; return its records."""
    code = (
        "import sys, polars as pl; from pathlib import Path; from tests.conftest import SMALL_PLANT; "
        "from zerofactory.runs import close, import_data; from zerofactory.runs.context import open_context, clock, stamp; "
        "from zerofactory.store.workspace import Workspace; from zerofactory.periods import Period; "
        f"f = Path({str(folder)!r}); f.mkdir(); (f / 'factory.toml').write_text(SMALL_PLANT, encoding='utf-8'); "
        "Workspace.create(f, at=stamp(clock()), actor='t'); "
        f"import_data.run(open_context(f), [Path({str(readings)!r}), Path({str(form)!r})][::{order}]); "
        "close.run(open_context(f), Period(2025))"
    )
    environment = {
        **os.environ,
        "ZF_NOW": "2026-01-15T00:00:00+00:00",
        "ZF_ACTOR": "t",
        "PYTHONPATH": f"{Path.cwd()}:{Path.cwd() / 'src'}",
        "POLARS_MAX_THREADS": "1" if order == "1" else "2",
    }
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    with meddling(folder) as connection:
        return pl.DataFrame(connection.execute("SELECT * FROM records ORDER BY record_id").fetchall(), orient="row")


def test_two_builds_give_the_same_records_whatever_the_threads(
    tmp_path: Path, write_readings: Writer, write_form: Writer
) -> None:
    readings, form = write_readings(*ALL), write_form("diesel,2025-01-01,2025-12-31,12,t,,结算,D1,")
    one, two = build(tmp_path / "one", readings, form, "1"), build(tmp_path / "two", readings, form, "1")
    assert one.equals(two)
    three = build(tmp_path / "three", readings, form, "-1")
    hashes = -1  # the chain of hashes follows the order of import; the content of every record does not
    assert one.select(one.columns[1:hashes]).equals(three.select(three.columns[1:hashes]))


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3, 0.6, 1.0, 1.6])
@pytest.mark.parametrize("command", ["import", "close"])
def test_killed_anywhere_the_book_verifies_and_the_command_can_be_repeated(
    small: Context, write_readings: Writer, reopen: Reopen, command: str, delay: float
) -> None:
    folder, readings = small.workspace.folder, write_readings(*ALL)
    environment = {**os.environ, "ZF_NOW": "2026-01-15T00:00:00+00:00", "ZF_LANG": "en"}
    zf = [sys.executable, "-m", "zerofactory.cli"]
    import_command = [*zf, "import", str(readings), "-w", str(folder)]
    close_command = [*zf, "close", "--period", "2025", "-w", str(folder)]
    if command == "close":
        subprocess.run(import_command, env=environment, check=True, capture_output=True)
    wanted = import_command if command == "import" else close_command
    process = subprocess.Popen(wanted, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay + 0.6)  # past the start of the interpreter, into the work
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert verify.run(reopen(small)).clean
    subprocess.run(wanted, env=environment, check=True, capture_output=True)
    subprocess.run(close_command, env=environment, check=True, capture_output=True)
    verdict = verify.run(reopen(small))
    assert verdict.clean
    assert verdict.months == 12


def test_two_that_close_and_import_at_once_do_it_once(small: Context, write_readings: Writer, reopen: Reopen) -> None:
    folder, readings = small.workspace.folder, write_readings(1)
    environment = {**os.environ, "ZF_NOW": "2026-01-15T00:00:00+00:00", "ZF_LANG": "en"}
    zf = [sys.executable, "-m", "zerofactory.cli"]
    for command in ([*zf, "import", str(readings)], [*zf, "close", "--period", "2025-01"]):
        pair = [
            subprocess.Popen(
                [*command, "-w", str(folder)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        answers = [process.communicate(timeout=60) and process.returncode for process in pair]
        assert 0 in answers
        assert set(answers) <= {0, 2}
    seals = small.workspace.journal.rows(SEALS)
    assert seals["seal_id"].to_list() == ["2025-01.r0"]
    assert verify.run(reopen(small)).clean


def test_revising_what_is_not_closed_is_said(small: Context) -> None:
    with pytest.raises(FaultyData, match="No month"):
        close.run(small, Period(2025, 1), revise=True, reason="why")


def test_own_factors_are_kept_with_the_seal(
    small: Context, write_readings: Writer, write_form: Writer, reopen: Reopen
) -> None:
    folder = small.workspace.folder
    own = folder / "factors" / "own.csv"
    own.parent.mkdir()
    header = "id,role,item,name_zh,name_en,value,unit,gas,region,valid_from,valid_to,published_on,best_before,source,source_ref,provenance,confidence,note,low,high\n"
    row = "own.grid,grid.average,electricity,本厂电力,own power,{value},kgCO2/kWh,CO2,CN-上海,2025-01-01,,,,supplier letter,,plant,high,,,\n"
    own.write_text(header + row.format(value="0.4"), encoding="utf-8")
    plant = folder / "factory.toml"
    pin = '\n[[accounting.pin]]\nrole = "grid.average:electricity"\nfactor = "own.grid"\nreason = "供应商函"\n'
    plant.write_text(plant.read_text(encoding="utf-8") + pin, encoding="utf-8")
    import_data.run(reopen(small), [write_readings(1), write_form("diesel,2025-01-01,2025-01-31,5,t,,结算,D1,")])
    close.run(reopen(small), Period(2025, 1))
    used = small.workspace.journal.active(RECORDS, {"source_id": "electricity", "regime": "location"})
    assert used["factor_id"].to_list() == ["own.grid"]
    own.write_text(header + row.format(value="0.5"), encoding="utf-8")
    assert verify.run(reopen(small)).clean
    assert explain.run(reopen(small), used["record_id"][0]).children
    own.unlink()
    assert verify.run(reopen(small)).clean


@on_sqlite_only
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE records SET kyoto = 'x9' WHERE row_number = 1",
        "UPDATE records SET started_at = 'x9' WHERE row_number = 1",
        "UPDATE records SET quantity = 'x9' WHERE row_number = 1",
        "UPDATE seals SET revision = 'x9' WHERE row_number = 1",
        "UPDATE seals SET known_at = 'x9' WHERE row_number = 1",
        "UPDATE seals SET own_factors = 'x9' WHERE row_number = 1",
        "UPDATE batches SET segments = 'x9' WHERE row_number = 1",
        "UPDATE journal SET payload = 'x9' WHERE kind = 'close' AND seq = 3",
        "UPDATE journal SET heads = 'x9' WHERE seq = (SELECT MAX(seq) FROM journal)",
    ],
)
def test_a_cell_of_another_kind_is_named_and_nothing_falls_over(closed: Context, reopen: Reopen, change: str) -> None:
    tampered(closed, change)
    codes = {problem.code for problem in verify.run(reopen(closed)).problems}
    assert codes & {"store.row_changed", "store.entry_changed"}


@on_sqlite_only
def test_an_emptied_book_is_not_sound(closed: Context, reopen: Reopen) -> None:
    (closed.workspace.folder / "book.db").write_bytes(b"")
    assert "store.no_entries" in {problem.code for problem in verify.run(reopen(closed)).problems}


@pytest.mark.parametrize("keep", [True, False])
def test_a_changed_interval_file_is_named(closed: Context, reopen: Reopen, keep: bool) -> None:
    path = closed.workspace.folder / "series/sealed/2025-04.r0.intervals.parquet"
    frame = pl.read_parquet(path)
    path.unlink()
    if keep:
        frame.with_columns(pl.col("amount_milli") + 1).write_parquet(path)
    assert {problem.code for problem in verify.run(reopen(closed)).problems} == {"verify.intervals_file"}


def test_a_leftover_beside_evidence_does_not_stand_for_it(closed: Context, reopen: Reopen) -> None:
    (path,) = closed.workspace.folder.glob("evidence/*/*.csv")
    path.rename(path.with_name(f"{path.name}.1.partial"))
    assert {problem.code for problem in verify.run(reopen(closed)).problems} == {"verify.evidence_missing"}
    path.symlink_to(path.with_name("nowhere"))
    assert "store.evidence_changed" in {problem.code for problem in verify.run(reopen(closed)).problems}


def test_a_plant_folder_named_like_a_pattern_is_read_alone(small: Context, write_readings: Writer) -> None:
    folder = small.workspace.folder
    named = folder.with_name("[plant]*")
    folder.rename(named)
    context = Context(Workspace.open(named), small.now, small.actor)
    import_data.run(context, [write_readings(1)])
    assert close.run(Context(Workspace.open(named), small.now, small.actor), Period(2025, 1))[0].status == "closed"
    assert verify.run(Context(Workspace.open(named), small.now, small.actor)).clean


def test_a_register_that_falls_back_is_told_at_closing(small: Context, tmp_path: Path, reopen: Reopen) -> None:
    import_data.run(small, [_readings_with_a_slip(tmp_path)])
    (made,) = close.run(reopen(small), Period(2025, 1))
    assert [problem.code for problem in made.warnings if problem.code == "month.reset"] == ["month.reset"]


def test_a_fall_that_cannot_be_told_from_a_misreading_stops_closing_until_decided(
    small: Context, tmp_path: Path, reopen: Reopen
) -> None:
    import_data.run(small, [_readings_with_a_slip(tmp_path, 100_000.0)])
    with pytest.raises(FaultyData) as caught:
        close.run(reopen(small), Period(2025, 1))
    (problem,) = [found for found in caught.value.problems if found.code == "month.reset"]
    assert problem.severity == "error"
    assert "maximum" in problem.hint.zh
    fix = tmp_path / "fix.csv"
    fix.write_text("表计,时间,读数\nG1,2025-01-06 05:00,100500\n", encoding="utf-8")
    import_data.run(replace(reopen(small), now=small.now + timedelta(hours=1)), [fix])
    (made,) = close.run(reopen(small), Period(2025, 1))
    assert made.status == "closed"
    amounts = small.workspace.journal.active(ACTIVITIES, {"source_id": "gas-ovens"})
    assert amounts["quantity"].to_list() == [2976.0]


def _readings_with_a_slip(folder: Path, first: float = 1000.0) -> Path:
    times = pl.datetime_range(datetime(2025, 1, 1), datetime(2025, 2, 1), "15m", eager=True)  # noqa: DTZ001
    steps = pl.Series("value", [first + i for i in range(len(times))])
    slip = pl.DataFrame({"meter": "G1", "time": times, "value": steps.set(steps == first + 500.0, first + 600.0)})
    flat = pl.DataFrame({"meter": "E1", "time": times.head(len(times) - 1), "value": 10.0})
    path = folder / "slip.parquet"
    pl.concat([slip, flat]).write_parquet(path)
    return path


def test_a_unit_changed_after_closing_does_not_change_what_was_sealed(closed: Context, reopen: Reopen) -> None:
    month = Period(2025, 1)
    before = sealed_month(closed, month)
    path = closed.workspace.folder / "factory.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('unit = "kWh"', 'unit = "MWh"'), encoding="utf-8")
    after = sealed_month(reopen(closed), month)
    assert after.units == before.units == ("kWh", "Nm3")
    assert (after.amount_milli == before.amount_milli).all()
    energy = [
        int(electricity.compare(context, month).book.consumption_wh.sum()) for context in (closed, reopen(closed))
    ]
    assert energy[0] == energy[1] > 0
