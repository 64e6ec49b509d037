"""The verification package: complete, the same bytes every time, and broken by any changed byte."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.database import meddling, on_sqlite_only

from zerofactory.errors import BookBroken, FaultyData
from zerofactory.periods import Period
from zerofactory.runs import base_year, close, import_data, open_package, package, reverse
from zerofactory.runs.context import Context
from zerofactory.runs.package import Content, pretty, signature_text
from zerofactory.store.container import MANIFEST, SIGNATURE, Member, describe, layout, ordered, packed, read
from zerofactory.store.signing import fingerprint, new_key

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]
MONTH, KNOWN = Period(2025, 1), date(2026, 1, 15)


@pytest.fixture
def closed(small: Context, write_readings: Writer, write_form: Writer, reopen: Reopen) -> Context:
    form = write_form("diesel,2025-01-01,2025-01-31,12,t,,结算,D1,", "diesel,2025-02-01,2025-02-28,3,t,,结算,D2,")
    import_data.run(small, [write_readings(1, 2), form])
    for month in (1, 2):
        close.run(reopen(small), Period(2025, month), known_at=KNOWN)
    return reopen(small)


@pytest.fixture
def file(closed: Context, tmp_path: Path) -> Path:
    package.run(closed, MONTH, tmp_path / "p.zip", Content())
    return tmp_path / "p.zip"


def codes(path: Path) -> set[str]:
    try:
        return {problem.code for problem in open_package.verify(path).problems}
    except FaultyData as fault:
        return {problem.code for problem in fault.problems}


def rewritten(path: Path, changes: dict[str, bytes], manifest: dict[str, object] | None = None) -> Path:
    """Write a package anew with other contents and a manifest that fits them: a forger without the key."""
    members = dict(read(path.read_bytes()))
    for name, content in changes.items():
        members[name] = packed(name, content)
    told = json.loads(members[MANIFEST].content()) | (manifest or {})
    digests = {name: hashlib.sha256(member.content()).hexdigest() for name, member in members.items()}
    told["members"] = describe(members, digests)
    body = pretty(told)
    heads = [packed(MANIFEST, body), packed(SIGNATURE, signature_text(hashlib.sha256(body).hexdigest(), None, None))]
    rest = [member for name, member in members.items() if name not in (MANIFEST, SIGNATURE)]
    out = path.with_name("forged.zip")
    out.write_bytes(layout(ordered([*heads, *rest])))
    return out


def test_a_clean_machine_recomputes_it_from_the_file_alone(file: Path, tmp_path: Path) -> None:
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    command = [sys.executable, "-m", "zerofactory.cli", "verify", str(file), "--json"]
    done = subprocess.run(
        command, cwd=empty, capture_output=True, text=True, env={**os.environ, "HOME": str(empty)}, check=False
    )
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert told["clean"]
    assert told["signed_by"] is None
    assert told["months"] == 1
    assert told["records"] > 5
    assert list(empty.iterdir()) == []


def test_same_book_same_bytes_and_any_zip_program_reads_it(
    closed: Context, file: Path, tmp_path: Path, reopen: Reopen
) -> None:
    later = replace(reopen(closed), now=closed.now + timedelta(days=9))
    package.run(later, MONTH, tmp_path / "again.zip", Content())
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()
    with zipfile.ZipFile(file) as peer:
        assert peer.testzip() is None
        names = peer.namelist()
        assert names[:2] == [MANIFEST, SIGNATURE]
        assert names[2:] == sorted(names[2:])
        assert {info.date_time for info in peer.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        rows = [json.loads(line) for line in peer.read("facts/activities.jsonl").splitlines()[1:]]
        assert rows


def test_signed_with_everything_in_it(closed: Context, tmp_path: Path) -> None:
    public = new_key(tmp_path / "key.pem")
    content = Content(with_evidence=True, with_readings=True, sign_key=tmp_path / "key.pem")
    made = package.run(closed, Period(2025, 2), tmp_path / "s.zip", content)
    verdict = open_package.verify(tmp_path / "s.zip")
    assert verdict.clean
    assert verdict.signed_by == made.signed_by == fingerprint(public)
    names = set(read((tmp_path / "s.zip").read_bytes()))
    assert {
        "readings/2025-02.parquet",
        "intervals/2025-02.parquet",
        "facts/records.jsonl",
        "rules/iso_14064_1_2018.yaml",
    } <= names
    assert any(name.startswith("evidence/") and name.endswith(".csv") for name in names)
    forged = rewritten(tmp_path / "s.zip", {"readme.txt": b"other"})
    assert open_package.verify(forged).signed_by is None, "a forger can leave the signature out, never keep it"


def test_one_flipped_byte_anywhere_fails(closed: Context, tmp_path: Path) -> None:
    new_key(tmp_path / "key.pem")
    for name, key in (("plain.zip", None), ("signed.zip", tmp_path / "key.pem")):
        package.run(closed, MONTH, tmp_path / name, Content(sign_key=key))
        whole = (tmp_path / name).read_bytes()
        members = read(whole)
        places: set[int] = {0, 5, len(whole) - 1, len(whole) - 10, len(whole) - 22, len(whole) - 40}
        for member in members.values():
            start = whole.index(member.packed)
            places |= {start - 1, start, start + len(member.packed) // 2, start + len(member.packed) - 1}
            places.add(start - 10)
        heads = whole.index(members["facts/activities.jsonl"].packed)
        places |= set(range(0, heads, max(1, heads // 60)))
        places |= set(range(len(whole) - 2500, len(whole), 61))
        for place in sorted(places):
            for bit in (0x01, 0x20):
                (tmp_path / "x.zip").write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
                assert codes(tmp_path / "x.zip"), (name, place)


def test_a_forger_with_a_fitting_manifest_is_caught_by_the_chain_and_by_recomputing(file: Path) -> None:
    members = read(file.read_bytes())
    records = members["facts/records.jsonl"].content()
    header, *rows = records.decode().splitlines()
    place = json.loads(header)["columns"].index("emissions_gco2e")
    line = next(row for row in rows if "diesel" in row and json.loads(row)[place] > 1000)
    amount = json.loads(line)[place]
    changed = records.replace(line.encode(), line.replace(f",{amount},", f",{amount + 1},").encode())
    assert changed != records
    assert "store.table_chain" in codes(rewritten(file, {"facts/records.jsonl": changed}))
    grid = json.loads(members["factors/cn_grid_2023.json"].content())
    for row in grid["factors"]:
        row["value"] = 0.1
    assert codes(rewritten(file, {"factors/cn_grid_2023.json": pretty(grid)})) & {
        "verify.differs",
        "package.differs",
        "verify.not_recomputed",
    }
    totals = json.loads(members["inventory.json"].content())
    next(iter(totals.values()))["total_gco2e"] += 1
    assert codes(rewritten(file, {"inventory.json": pretty(totals)})) == {"package.differs"}
    plant = next(name for name in members if name.startswith("plants/"))
    assert "package.differs" in codes(rewritten(file, {plant: members[plant].content() + b"\n"}))
    journal = members["journal.jsonl"].content().replace(b'"actor":"test"', b'"actor":"mallory"', 1)
    assert "store.entry_changed" in codes(rewritten(file, {"journal.jsonl": journal}))
    seals = json.loads(members[MANIFEST].content())["seals"]
    seals[0]["total_gco2e"] += 5
    assert "package.differs" in codes(rewritten(file, {}, {"seals": seals}))


def test_changed_intervals_are_told(file: Path) -> None:
    import io

    import polars as pl

    content = read(file.read_bytes())["intervals/2025-01.parquet"].content()
    frame = pl.read_parquet(io.BytesIO(content)).with_columns(pl.col("amount_milli") + 1)
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    found = codes(rewritten(file, {"intervals/2025-01.parquet": buffer.getvalue()}))
    assert {"package.differs", "verify.not_recomputed"} & found
    short = io.BytesIO()
    frame.head(100).write_parquet(short)
    assert codes(rewritten(file, {"intervals/2025-01.parquet": short.getvalue()})) == {"package.unreadable"}


def test_newer_versions_and_other_files_are_refused_clearly(file: Path, tmp_path: Path) -> None:
    newer = rewritten(file, {}, {"version": 2, "code_version": "9.0"})
    with pytest.raises(FaultyData) as caught:
        open_package.verify(newer)
    assert caught.value.problems[0].code == "package.newer_version"
    assert "9.0" in caught.value.problems[0].message.en
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as peer:
        peer.writestr("../../evil", "x")
    assert codes(other) == {"package.not_a_package"}
    assert codes(tmp_path / "absent.zip") == {"package.no_file"}
    (tmp_path / "text.zip").write_text("hello", encoding="utf-8")
    assert codes(tmp_path / "text.zip") == {"package.not_a_package"}
    assert codes(tmp_path) == {"package.no_file"}


def test_members_left_out_or_added_are_told(file: Path) -> None:
    members = dict(read(file.read_bytes()))
    left = [member for name, member in members.items() if name != "evidence.json"]
    out = file.with_name("left.zip")
    out.write_bytes(layout(ordered(left)))
    assert codes(out) == {"package.member"}
    extra = [*members.values(), Member("facts/zz", 8, *_deflated(b"x"))]
    out.write_bytes(layout(ordered(extra)))
    assert codes(out) == {"package.member"}


def _deflated(content: bytes) -> tuple[bytes, int, int]:
    member = packed("x", content)
    return member.packed, member.size, member.crc


def test_revised_months_keep_their_history_and_recompute(
    closed: Context, write_form: Writer, reopen: Reopen, tmp_path: Path
) -> None:
    base = replace(reopen(closed), now=closed.now + timedelta(days=1))
    reverse.run(base, "D1", "更正", into_closed=True)
    import_data.run(
        reopen(closed), [write_form("diesel,2025-01-01,2025-01-31,9,t,,结算,D3,", name="n.csv")], into_closed=True
    )
    later = replace(reopen(closed), now=closed.now + timedelta(days=3))
    close.run(later, MONTH, known_at=KNOWN, revise=True, reason="数量更正")
    package.run(reopen(closed), MONTH, tmp_path / "r.zip", Content(with_readings=True))
    verdict = open_package.verify(tmp_path / "r.zip")
    assert verdict.clean, verdict.problems
    facts = read((tmp_path / "r.zip").read_bytes())["facts/records.jsonl"].content().decode()
    assert facts.count("~") > 5, "the reversals of the first revision are in the package"


def test_open_months_broken_books_and_missing_files_are_refused(
    closed: Context, reopen: Reopen, tmp_path: Path
) -> None:
    with pytest.raises(FaultyData, match="Not closed"):
        package.run(closed, Period(2025), tmp_path / "x.zip", Content())
    with pytest.raises(FaultyData, match="key"):
        package.run(closed, MONTH, tmp_path / "x.zip", Content(sign_key=tmp_path / "absent.pem"))
    with meddling(closed.workspace.folder) as book:
        book.drop_guard("activities", "UPDATE")
        book.execute("UPDATE activities SET quantity = quantity + 1 WHERE row_number = 1")
    with pytest.raises(BookBroken):
        package.run(reopen(closed), MONTH, tmp_path / "x.zip", Content())
    assert not (tmp_path / "x.zip").exists()


@on_sqlite_only
def test_an_older_book_without_the_new_tables_opens_and_takes_them(
    closed: Context, reopen: Reopen, tmp_path: Path
) -> None:
    from zerofactory.runs import verify

    with meddling(closed.workspace.folder) as book:
        for table in ("base_years", "assurance_samples", "assurance_findings", "assurance_statements"):
            book.execute(f"DROP TABLE {table}")
    assert verify.run(reopen(closed)).clean
    with pytest.raises(FaultyData, match="whole year"):
        base_year.fix(reopen(closed), MONTH)
    package.run(reopen(closed), MONTH, tmp_path / "o.zip", Content())
    assert open_package.verify(tmp_path / "o.zip").clean


def test_every_factor_set_goes_through_the_package_unchanged() -> None:
    from zerofactory.factors.load import factor_book
    from zerofactory.runs.open_package import _set
    from zerofactory.runs.package import _factors
    from zerofactory.store.schema import RECORDS

    book = factor_book()
    written = _factors(book, RECORDS.empty())
    for name, found in book.sets.items():
        assert _set(json.loads(written[f"factors/{name}.json"])) == found, name


def test_a_plant_file_spoilt_later_does_not_stop_the_package(closed: Context, reopen: Reopen, tmp_path: Path) -> None:
    (closed.workspace.folder / "factory.toml").write_text("nonsense", encoding="utf-8")
    package.run(reopen(closed), MONTH, tmp_path / "n.zip", Content())
    assert open_package.verify(tmp_path / "n.zip").clean
