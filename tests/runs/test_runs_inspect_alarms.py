"""Cameras among the alarms: one that changes is told on the day it changes and no other, a normal month stays within the promise."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import SMALL_PLANT
from tests.runs.camera_month import Change, blurred, dimmed, learned, moved, row, shoot

from zerofactory.errors import FaultyData, NotFound
from zerofactory.monitoring.rules import inspection_drift
from zerofactory.runs import alarms, inspect_alarms, inspect_listen
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.inspect_book import append
from zerofactory.store import sqlite_file
from zerofactory.store.pictures import FOLDER
from zerofactory.store.workspace import Workspace

FIRST, LAST = date(2025, 3, 10), date(2025, 3, 22)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days) if (FIRST + timedelta(days=n)).weekday() < 5]
MONTH = [date(2025, 3, 3) + timedelta(days=n) for n in (0, 1, 2, 3, 4)] + DAYS
FROM = date(2025, 3, 14)  # a Friday: the weekend without pictures lies inside
NOW = datetime.fromisoformat("2025-04-02T08:00+00:00")
LEFT, RIGHT = ("paint", "left"), ("paint", "right")


def plant(folder: Path) -> Context:
    folder.mkdir()
    (folder / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    context = Context(Workspace.create(folder, at=stamp(NOW), actor="test"), NOW, "test")
    learned(context)
    return context


def scan(context: Context, first: date = FIRST, last: date = LAST, *rules: str) -> alarms.Scanned:
    return alarms.scan(context, alarms.Asked(first, last, rules))


CHANGES: dict[str, tuple[Change, tuple[str, ...]]] = {
    "dimmed": (dimmed, ("亮度偏低", "对比度偏低")), "blurred": (blurred, ("清晰度偏低",)), "moved": (moved, ("左右位置偏高",)),
}  # fmt: skip


def test_a_camera_that_changes_is_told_on_its_day_and_no_other(tmp_path: Path) -> None:
    context = plant(tmp_path / "plant")
    for station, (change, _) in CHANGES.items():
        shoot(context, ("paint", station), DAYS, {day: change for day in DAYS if day >= FROM})
    shoot(context, RIGHT, DAYS)
    done = scan(context)
    assert (done.cameras, done.meters) == (4, 0)
    assert "0.1%" in done.notes[-1].en or "0.1%" in done.notes[0].en
    assert {one.row["meter"] for one in done.raised} == {f"plates@paint/{station}" for station in CHANGES}
    for alarm in done.raised:
        found = alarm.row
        assert (found["rule"], found["shop"]) == ("inspection_drift", "paint")
        assert found["started_at"].isoformat() == "2025-03-13T16:00:00+00:00"  # midnight of the 14th in Shanghai
        assert found["ended_at"].isoformat() == "2025-03-21T16:00:00+00:00"
        assert found["amount_milli"] == 1000 * 16 * 6
        assert any(one in found["message_zh"] for one in CHANGES[found["meter"].split("/")[1]][1]), found["message_zh"]
        assert "再训练" in found["message_zh"]
        assert (found["energy_wh"], found["cost_cny"], found["lacking_en"]) == (None, None, "counts parts, no energy")
    again = scan(context)
    assert (again.raised, again.extended) == ((), ())


def test_a_normal_month_with_bad_parts_raises_nothing(tmp_path: Path) -> None:
    """Two cameras of ten days: promised is one false alarm in a thousand of them. One part in twenty is black."""
    context = plant(tmp_path / "plant")
    shoot(context, LEFT, DAYS)
    for day in DAYS:
        shoot(context, RIGHT, [day])
        shoot(context, RIGHT, [day], {day: np.zeros_like}, a_day=1)
    assert scan(context).raised == ()
    remembered = context.workspace.folder / FOLDER / "figures.json"
    assert remembered.is_file()
    remembered.write_text("[1", encoding="utf-8")  # may be lost at any time
    assert scan(context).raised == ()


def test_day_by_day_it_is_one_alarm_that_ends_when_the_camera_is_mended(tmp_path: Path) -> None:
    context = plant(tmp_path / "plant")
    mended = date(2025, 3, 19)
    shoot(context, LEFT, DAYS, {day: dimmed for day in DAYS if FROM <= day < mended})
    before = scan(context, FIRST, FROM)
    assert before.raised == ()
    kinds = []
    for day in (FROM + timedelta(days=n) for n in range(8)):  # as collecting looks at it: yesterday and today
        done = scan(context, day - timedelta(days=1), day + timedelta(days=1), *inspect_alarms.RULES)
        kinds.append((len(done.raised), len(done.extended)))
    assert kinds == [(1, 0), (0, 0), (0, 0), (0, 1), (0, 1), (0, 0), (0, 0), (0, 0)]
    [alarm] = alarms.alarms(context)
    assert alarm.row["ended_at"].isoformat() == "2025-03-18T16:00:00+00:00"
    assert alarms.acknowledge(context, alarm.alarm_id).state == "acknowledged"
    assert alarms.close(context, alarm.alarm_id, "lamp replaced").state == "closed"
    assert scan(context).raised == ()
    assert context.workspace.journal.check() == []


def test_closed_as_normal_the_new_light_is_what_counts(tmp_path: Path) -> None:
    context = plant(tmp_path / "plant")
    shoot(context, LEFT, DAYS, {day: dimmed for day in DAYS if day >= FROM})
    [alarm] = scan(context, FIRST, date(2025, 3, 19)).raised
    alarms.close(context, alarm.alarm_id, "new lamps", as_normal=True)
    assert scan(context).raised == ()
    later = [date(2025, 6, 2), date(2025, 6, 3)]  # so much later that the book between is not read
    june = replace(context, now=datetime.fromisoformat("2025-06-04T08:00+00:00"))
    shoot(june, LEFT, later, dict.fromkeys(later, dimmed))
    done = scan(june, later[0], date(2025, 6, 4))
    assert (done.cameras, done.raised) == (1, ())
    back = [date(2025, 3, 24), date(2025, 3, 25)]
    shoot(context, LEFT, back)
    [other] = scan(context, FIRST, date(2025, 3, 26)).raised
    assert "偏高" in other.row["message_zh"]
    assert other.row["started_at"].isoformat() == "2025-03-23T16:00:00+00:00"


def test_escapes_and_false_rejects_beyond_the_promise_are_told(tmp_path: Path) -> None:
    """From the 10th on every fifth good part is rejected; inspectors look at all that are rejected. Promised are 5 %."""
    context = plant(tmp_path / "plant")
    for camera, often in ((LEFT, 5), (RIGHT, 25)):
        rows = []
        for day in MONTH:
            every = often if day >= date(2025, 3, 10) else 25
            for number in range(100):
                at = datetime(day.year, day.month, day.day, 2, number // 2, number % 2, tzinfo=NOW.tzinfo)
                odd = number % every == 0
                said = {"score": 0.9, "disposition": "recheck", "defect": "pit"} if odd else {}
                rows.append(row(camera, at, None, **said))
                if odd:
                    rows.append(row(camera, at, None, score=0.9, decided_by="inspector", corrects=rows[-1]["defect_id"]))  # fmt: skip
        append(context, rows, {"parts": len(rows)})
    [alarm] = scan(context, MONTH[0]).raised
    assert (alarm.row["rule"], alarm.row["meter"]) == ("inspection_audit", "plates@paint/left")
    assert date(2025, 3, 10) < alarm.row["started_at"].date() < date(2025, 3, 14)
    assert "误判率" in alarm.row["message_zh"]
    judged, rejected = 100 * len(MONTH), 20 * sum(day >= date(2025, 3, 10) for day in MONTH) + 4 * 5
    assert alarm.row["value_per_hour"] == pytest.approx(rejected / judged, abs=1e-4)
    assert alarm.row["limit_per_hour"] == 0.05
    assert alarm.row["amount_milli"] == pytest.approx(1000 * (rejected - 0.05 * judged), abs=1)
    assert scan(context, MONTH[0]).raised == ()


def test_looking_late_at_what_was_rejected_before_bends_no_month(tmp_path: Path) -> None:
    """In March 4 % are rejected, wrongly; on 1 April inspectors look at all of them, before much else is judged in the month."""
    context = plant(tmp_path / "plant")
    rows = []
    for number in range(1000):
        at = datetime(2025, 3, 3 + number // 50, 2, number % 50, tzinfo=NOW.tzinfo)
        odd = {"score": 0.9, "disposition": "recheck", "defect": "pit"} if number % 25 == 0 else {}
        rows.append(row(LEFT, at, None, **odd))
        if odd:
            at = datetime(2025, 4, 1, 1, number // 25, tzinfo=NOW.tzinfo)
            rows.append(row(LEFT, at, None, score=0.9, decided_by="inspector", corrects=rows[-1]["defect_id"], part_code=rows[-1]["part_code"]))  # fmt: skip
    rows += [row(LEFT, datetime(2025, 4, 1, 3, number, tzinfo=NOW.tzinfo), None) for number in range(50)]
    append(context, rows, {"parts": len(rows)})
    for first, last in ((MONTH[0], date(2025, 4, 1)), (date(2025, 4, 1), date(2025, 4, 2))):
        assert scan(context, first, last, "inspection_audit").raised == ()


def test_pictures_sent_late_leave_what_was_judged_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five pictures of the first day come at the end: no block of the days after is judged again in another cut."""
    context = plant(tmp_path / "plant")
    judged: list[tuple[str, ...]] = []
    real = inspection_drift.shifted
    monkeypatch.setattr(inspection_drift, "shifted", lambda *of: judged.append(of[2]) or real(*of))
    shoot(context, LEFT, DAYS[:4])
    scan(context)
    before = set(judged)
    assert len(before) == 4
    shoot(context, LEFT, DAYS[:1], {DAYS[0]: dimmed}, a_day=5)
    judged.clear()
    scan(context)
    assert set(judged) == before
    shoot(context, LEFT, DAYS[4:5])
    judged.clear()
    scan(context)
    later = set(judged)
    assert before < later
    judged.clear()
    scan(context, FIRST, DAYS[4])  # fewer days, the same cut
    assert set(judged) < later


def test_a_camera_that_cannot_be_watched_is_told(tmp_path: Path) -> None:
    context = plant(tmp_path / "plant")
    shoot(context, LEFT, DAYS[:2])
    shutil.rmtree(next((context.workspace.folder / FOLDER).glob("??")))
    [gone] = [note.en for note in scan(context).notes if "not kept" in note.en]
    assert "of 32 pictures of plates@paint/left v1" in gone
    settings = '[[rules]]\nrule = "inspection_drift"\nblock_pictures = 5\nfalse_alarm_fraction = 0.00005\n'
    (context.workspace.folder / "alarms.toml").write_text(settings, encoding="utf-8")
    assert any("no drift can be told" in note.en for note in scan(context).notes)


def test_what_is_new_is_told_and_booked_under_one_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting and listening look by themselves: whoever comes second must see what the first has booked."""
    context = plant(tmp_path / "plant")
    shoot(context, LEFT, DAYS[:2], dict.fromkeys(DAYS, dimmed))
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0)
    real = alarms.reconciled

    def told(*of: Any) -> Any:
        with pytest.raises(sqlite3.OperationalError), context.workspace.locked():
            pass
        return real(*of)

    monkeypatch.setattr(alarms, "reconciled", told)
    assert len(scan(context).raised) == 1


def test_a_slow_camera_has_its_new_normal_too(tmp_path: Path) -> None:
    """Two pictures a day: the day of the alarm alone holds too few to stand for what is usual from then on."""
    context = plant(tmp_path / "plant")
    days = [date(2025, 3, 1) + timedelta(days=n) for n in range(24)]
    shoot(context, LEFT, days, dict.fromkeys(days, dimmed), a_day=2)
    [alarm] = scan(context, days[0], date(2025, 3, 10)).raised
    alarms.close(context, alarm.alarm_id, "new lamps", as_normal=True)
    assert scan(context, days[0], date(2025, 4, 1)).raised == ()


def test_bad_parts_among_those_drawn_tell_that_too_many_escape(tmp_path: Path) -> None:
    context = Context(Workspace.create(_folder(tmp_path / "plant"), at=stamp(NOW), actor="test"), NOW, "test")
    learned(context, metrics={"escape": {"hits": 0, "of": 60, "value": 0.0, "low": 0.0, "high": 0.05}})
    rows = []
    for number in range(400):
        at = datetime(2025, 3, 3 + number // 40, 2, number % 40, tzinfo=NOW.tzinfo)
        odd = number % 20 == 0  # one in twenty is rejected, rightly
        rows.append(row(LEFT, at, None, audit=not odd, **({"score": 0.9, "disposition": "recheck", "defect": "pit"} if odd else {})))  # fmt: skip
        bad = odd or number % 8 == 1  # of the passed every eighth is bad
        said = {"disposition": "scrap", "defect": "pit"} if bad else {}
        rows.append(row(LEFT, at, None, decided_by="inspector", corrects=rows[-1]["defect_id"], audit=not odd, score=0.9 if odd else 0.1, **said))  # fmt: skip
    append(context, rows, {"parts": len(rows)})
    [alarm] = scan(context, MONTH[0], LAST, "inspection_audit").raised
    assert "escapes this month 71" in alarm.row["message_en"]  # 50 of 50 + 20 bad parts
    assert "look again at parts passed lately" in alarm.row["message_en"].lower()


def _folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    return folder


def test_listening_to_cameras_tells_on_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = plant(tmp_path / "plant")
    shoot(context, LEFT, [date(2025, 3, 13), FROM], {FROM: blurred})
    monkeypatch.setenv("ZF_NOW", "2025-03-14T12:00:00+00:00")
    [told] = inspect_listen.watch_cameras(context)
    assert told.severity == "warning"
    assert "擦净镜头" in told.message.zh
    assert told.hint.en == f"zf alarms show {alarms.alarms(context)[0].alarm_id}"
    assert inspect_listen.watch_cameras(context) == ()
    (context.workspace.folder / "alarms.toml").write_text("[[rules]]\nrule = 3\n", encoding="utf-8")
    assert [one.code for one in inspect_listen.watch_cameras(context)] == ["inspect.alarms"]


def test_settings_and_names_of_cameras(tmp_path: Path) -> None:
    context = plant(tmp_path / "plant")
    shoot(context, LEFT, DAYS[-3:], dict.fromkeys(DAYS, dimmed))
    settings = context.workspace.folder / "alarms.toml"
    settings.write_text('[[rules]]\nrule = "inspection_drift"\nmeters = ["plates@paint/left"]\noff = true\n', encoding="utf-8")  # fmt: skip
    assert scan(context).raised == ()
    settings.write_text('[[rules]]\nrule = "inspection_drift"\nmeters = ["plate@paint/left"]\n', encoding="utf-8")
    with pytest.raises(FaultyData, match="plate@paint/left"):
        scan(context)
    settings.unlink()
    with pytest.raises(NotFound, match="plates@paint"):
        alarms.scan(context, alarms.Asked(FIRST, LAST, ("inspection_drift",), ("nobody",)))
    [alarm] = alarms.scan(context, alarms.Asked(FIRST, LAST, (), ("plates@paint/left",))).raised
    assert alarms.alarms(context, None, {"meter": "plates@paint/left"})[0].alarm_id == alarm.alarm_id


def test_a_plant_without_inspection_is_told_as_before(small: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        scan(small)
    assert [one.code for one in caught.value.problems] == ["alarms.no_readings"]
    assert scan(small, FIRST, LAST, "inspection_drift").raised == ()
