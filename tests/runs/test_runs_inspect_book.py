"""Inspected parts in the book: judged, booked once, corrected by inspectors, queued, audited and learned from."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import segno
from PIL import Image
from tests.runs.inspect_panels import give_model
from tests.runs.test_runs_inspect import panel

from zerofactory.errors import FaultyData, NotFound
from zerofactory.metering.inspected import DEFECTS, standing
from zerofactory.runs import inspect_book, inspect_queue, inspect_take
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import Said
from zerofactory.runs.inspect_model import cards
from zerofactory.runs.inspect_photo import Photo, photo
from zerofactory.runs.inspect_take import Look, Part, take, take_all
from zerofactory.runs.part_code import read_codes
from zerofactory.store.pictures import Pictures

GPS_IFD, ORIENTATION, MOST = 0x8825, 0x0112, 20_000_000


def shot(tmp_path: Path, number: int, defect: str = "") -> Photo:
    """Return a photograph of a panel."""
    panel(tmp_path / "shots", number, defect)
    return photo((tmp_path / "shots" / f"{defect or 'ok'}{number:03d}.png").read_bytes(), MOST)


@pytest.fixture
def judging(small: Context) -> Context:
    """Return a workspace with a model of panels that audits every second passed part."""
    give_model(small.workspace.folder)
    (small.workspace.folder / "inspect.toml").write_text("[inspection]\naudit_fraction = 0.5\n", encoding="utf-8")
    return small


def test_a_part_is_judged_booked_and_corrected_and_nothing_is_changed(judging: Context, tmp_path: Path) -> None:
    bad = take(judging, Look(Part("BX-1", "paint", "P10"), shot(tmp_path, 101, "pit")), "panels")
    assert bad.rows[0]["disposition"] == "recheck"
    assert bad.rows[0]["likeliest"] == "pit"
    again = take(judging, Look(Part("BX-1", "paint", "P10"), shot(tmp_path, 101, "pit")))
    assert again.repeated
    assert inspect_book.rows(judging).height == 1
    said = take(
        judging, Look(Part("BX-1", "paint", "P10"), shot(tmp_path, 101, "pit"), Said("scrap", "pit", "material"))
    )
    told = said.as_json()
    assert told["agrees"] is True
    assert told["inspector"] == {"disposition": "scrap", "defect": "pit", "cause": "material", "note": None}
    every = inspect_book.rows(judging)
    assert DEFECTS.check(every) == []
    assert every["corrects"].to_list() == [None, every["defect_id"][0]]
    assert standing(every)["decided_by"].to_list() == ["inspector"]
    second = inspect_book.correct(judging, str(told["image_sha256"])[:10], Said("rework", "scratch"))
    assert second["corrects"] == told["defect_id"]
    assert (second["model"], second["cause"]) == ("panels", None)
    assert judging.workspace.journal.check() == []
    with pytest.raises(NotFound):
        inspect_book.correct(judging, "ffffff", Said("accept"))


def test_an_inspector_is_not_held_up_by_a_missing_or_refusing_model(small: Context, tmp_path: Path) -> None:
    good = shot(tmp_path, 1)
    with pytest.raises(NotFound):
        take(small, Look(Part("A", "paint"), good))
    first = take(small, Look(Part("A", "paint"), good, Said("accept")))
    assert [row["decided_by"] for row in first.rows] == ["inspector"]
    assert first.kept
    assert take(small, Look(Part("B", "paint"), None, Said("scrap", "dent"))).rows[0]["image_sha256"] is None
    out = io.BytesIO()
    Image.new("RGB", (640, 200)).save(out, "PNG")
    give_model(small.workspace.folder)
    odd = photo(out.getvalue(), MOST)
    refused = take(small, Look(Part("C", "paint"), odd, Said("scrap", "dent")))
    assert refused.rows[-1]["defect"] == "dent"
    assert refused.unjudged
    with pytest.raises(FaultyData):
        take(small, Look(Part("C", "paint"), odd))


def test_everything_that_is_wrong_is_named_and_nothing_is_written(small: Context) -> None:
    wrong = Look(Part("a\nb", "nowhere", "x" * 300, "nothing"), None, Said("maybe", "pit", "luck"))
    with pytest.raises(FaultyData) as caught:
        take(small, wrong)
    assert len(caught.value.problems) == 6
    early = datetime.fromisoformat(
        "0001-01-01T00:00:00+14:00"
    )  # before the year 1 in UTC: no row of it could be read again
    with pytest.raises(FaultyData, match="before 2000"):
        take(small, Look(Part("A", "paint"), None, Said("accept"), early))
    for note in ("a\x1b[31m", "\ud800"):
        with pytest.raises(FaultyData, match="one line"):
            take(small, Look(Part("A", "paint"), None, Said("scrap", "pit", note=note)))
    for said in (Said("accept", "pit"), Said("scrap", "ok")):
        with pytest.raises(FaultyData, match="contradict"):
            take(small, Look(Part("A", "paint"), None, said))
    with pytest.raises(FaultyData, match="neither"):
        take(small, Look(Part("A", "paint")))
    (small.workspace.folder / "inspect.toml").write_text(
        "[inspection]\nopinion = 'loud'\naudit = 3\n", encoding="utf-8"
    )
    with pytest.raises(FaultyData) as caught:
        take(small, Look(Part("A", "paint"), None, Said("accept")))
    assert len(caught.value.problems) == 2
    assert inspect_book.rows(small).is_empty()


def test_queue_settles_disagreements_first_then_audits_then_teaches(judging: Context, tmp_path: Path) -> None:
    looks = [Look(Part(f"G{n}", "paint"), shot(tmp_path, 200 + n)) for n in range(12)]
    looks += [Look(Part(f"D{n}", "paint"), shot(tmp_path, 300 + n, "pit")) for n in range(3)]
    done = take_all(judging, looks)
    assert judging.workspace.journal.entries()[-1].kind == "inspect"
    found = inspect_queue.queue(judging)
    audited = [one.row["part_code"] for one in found if one.why == "audit"]
    assert 1 <= len(audited) < 12
    assert [one.why for one in found] == ["audit"] * len(audited) + ["unsure"] * (15 - len(audited))
    later = replace(judging, actor="wang")
    inspect_book.correct(later, str(done[-1].rows[0]["defect_id"]), Said("accept"))
    escaped = next(one for one in found if one.why == "audit")
    inspect_book.correct(later, str(escaped.row["defect_id"]), Said("scrap", "pit"))
    found = inspect_queue.queue(judging)
    assert {one.row["part_code"] for one in found if one.why == "disagreement"} == {"D2", escaped.row["part_code"]}
    assert [one.why for one in found[:2]] == ["disagreement"] * 2
    (whole, month) = inspect_queue.audits(judging)
    assert (whole.escape.hits, whole.escape.of, whole.waiting) == (1, 1, len(audited) - 1)
    assert (whole.false_reject.hits, whole.false_reject.of) == (1, 1)
    assert (whole.passed, whole.rejected) == (month.passed, month.rejected) == (12, 3)
    for one in found[:2]:  # a second look settles it
        inspect_book.correct(judging, str(one.row["image_sha256"]), Said("accept"))
    assert "disagreement" not in {one.why for one in inspect_queue.queue(judging)}
    learned = inspect_queue.training(judging, "good")
    assert sorted((one.label, one.group) for one in learned) == sorted(
        [("good", "D2"), ("good", escaped.row["part_code"])]
    )


def test_photographs_lose_their_place_and_stand_upright() -> None:
    pixels = np.zeros((60, 90, 3), dtype=np.uint8)
    pixels[:, :45] = (200, 30, 30)
    image, exif = Image.fromarray(pixels), Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS_IFD)[1] = "N"
    exif[0x010F] = "SecretPhone"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=95)
    made = photo(out.getvalue() + b"a film with 31.2304N 121.4737E", MOST)
    assert b"SecretPhone" not in made.content
    assert b"121.4737" not in made.content
    with Image.open(io.BytesIO(made.content)) as kept:
        assert not kept.getexif()
        assert kept.size == (60, 90)
    assert made.picture.pixels[5, 30, 0] > 150 > made.picture.pixels[85, 30, 0]
    out = io.BytesIO()
    image.save(out, "PNG")
    assert photo(out.getvalue(), MOST).content == out.getvalue(), "a plain picture keeps its bytes, so its hash"
    foreign, tall = io.BytesIO(), io.BytesIO()
    image.save(foreign, "EPS")
    Image.new("1", (32, 70_000)).save(tall, "PNG")
    for content in (b"", b"\x89PNG\r\n\x1a\nnothing", out.getvalue()[:60], foreign.getvalue(), tall.getvalue()):
        with pytest.raises(FaultyData):
            photo(content, MOST)
    with pytest.raises(FaultyData, match="above"):
        photo(out.getvalue(), 100)
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(FaultyData):
        photo(bomb.getvalue(), MOST)


def test_codes_of_parts_are_read_from_photographs() -> None:
    paper = Image.new("RGB", (900, 500), "white")
    for text, at in (("BX-2025-0001", (40, 60)), ("VIN LSVAA", (520, 80))):
        out = io.BytesIO()
        segno.make(text, error="m", micro=False).save(out, kind="png", scale=8)
        paper.paste(Image.open(out), at)
    found = read_codes(np.asarray(paper.rotate(7, fillcolor="white")))
    assert [one.text for one in found] == ["BX-2025-0001", "VIN LSVAA"]
    assert {one.symbol for one in found} == {"QR Code"}
    assert read_codes(np.full((50, 50, 3), 255, dtype=np.uint8)) == []


def test_pictures_are_bounded_and_survive_a_kill(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path, 2500)
    one = pictures.keep(b"x" * 2000, ".png")
    assert one == pictures.keep(b"x" * 2000, ".png")
    assert pictures.keep(b"y" * 2000, ".png") is None
    assert pictures.has(one)
    for name in ("../../etc/passwd", "", "a" * 64):
        with pytest.raises(NotFound):
            pictures.find(name)
    code = (
        "import os, sys, pathlib; from zerofactory.store import files; from zerofactory.store.pictures import Pictures\n"
        "files.os.fsync = lambda _: os._exit(9)\n"
        "Pictures(pathlib.Path(sys.argv[1]), 10**6).keep(b'z' * 1000, '.jpg')"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=os.environ, check=False).returncode == 9
    assert pictures.size_bytes() == 2000


def test_the_same_picture_from_many_at_once_is_kept_once(tmp_path: Path) -> None:
    content = os.urandom(2_000_000)
    with ThreadPoolExecutor(4) as pool:
        kept = [pool.submit(Pictures(tmp_path, 10**9).keep, content, ".png") for _ in range(12)]
        (digest,) = {one.result() for one in kept}
    assert digest is not None
    assert Pictures(tmp_path, 10**9).find(digest).read_bytes() == content
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_folder_too_large_for_the_memory_is_refused(
    judging: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        Image.new("L", (96, 96), number).save(tmp_path / f"P{number}.png")
    monkeypatch.setattr(inspect_take, "MOST_HELD_PIXELS", 2 * 96 * 96)
    with pytest.raises(FaultyData, match="several folders"):
        inspect_take.take_folder(judging, tmp_path, Part("", "paint"))
    assert inspect_book.rows(judging).is_empty()


def test_a_card_that_was_cut_off_is_told(judging: Context) -> None:
    path = next(judging.workspace.folder.glob("models/*/v*/model.json"))
    path.write_text(path.read_text(encoding="utf-8")[:40], encoding="utf-8")
    with pytest.raises(FaultyData, match="cannot be read"):
        cards(judging.workspace.folder)


def test_a_full_folder_does_not_stop_the_line(judging: Context, tmp_path: Path) -> None:
    (judging.workspace.folder / "inspect.toml").write_text("[inspection]\nmost_folder_bytes = 100\n", encoding="utf-8")
    found = take(judging, Look(Part("A", "paint"), shot(tmp_path, 7)))
    assert not found.kept
    assert found.rows[0]["image_sha256"] == shot(tmp_path, 7).picture.sha256
    assert inspect_queue.queue(judging) == []
    assert inspect_take.chosen_model(judging, "") is not None
