"""The commands of the plan: what they print, in both languages and as JSON, and how they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Call = Callable[..., CompletedProcess[str]]
PLAN = """
[plan]
title = { zh = "小厂计划", en = "plan of the small plant" }
commitment = { zh = "减排。", en = "Reduce." }
scope = { zh = "厂内", en = "on site" }
base_year = 2025
first_year = 2026
last_year = 2035
reduction_strategy = { zh = "能效", en = "efficiency" }
maintenance_strategy = { zh = "保持", en = "keep" }
offset_strategy = { zh = "最后", en = "last" }

[[mechanism.roles]]
id = "carbon"
title = { zh = "碳管理师", en = "carbon manager" }
holder = "林晓"
area = "plant"
duties = { zh = "核算", en = "accounts" }

[[tasks]]
id = "policy"
title = { zh = "签发方针", en = "sign the policy" }
owner = "carbon"
due = 2025-03-31
item = "cieccpa002.policy"
"""


@pytest.fixture
def planned(closed: Path, zf: Call) -> Path:
    """Return the tiny plant with a plan set."""
    (closed / "plan.toml").write_text(PLAN, encoding="utf-8")
    assert zf("plan", "set", "-w", str(closed)).stdout == "plan-2025.v1: 小厂计划\n"
    return closed


def test_the_plan_is_shown_in_both_languages(planned: Path, zf: Call) -> None:
    assert "承诺: 减排。" in zf("plan", "show", "-w", str(planned)).stdout
    assert "Commitment: Reduce." in zf("plan", "show", "-w", str(planned), language="en").stdout
    shown = json.loads(zf("plan", "show", "--json", "-w", str(planned)).stdout)
    assert (shown["plan"], shown["base_year"], shown["roles"][0]["holder"]) == ("plan-2025.v1", 2025, "林晓")


def test_a_task_goes_from_overdue_to_done_with_evidence(planned: Path, zf: Call) -> None:
    overdue = json.loads(zf("plan", "tasks", "overdue", "--json", "-w", str(planned)).stdout)
    assert [task["task"] for task in overdue] == ["policy"]
    assert zf("plan", "tasks", "assign", "policy", "--owner", "nobody", "-w", str(planned)).returncode == 2
    paper = planned.parent / "policy.txt"
    paper.write_text("signed", encoding="utf-8")
    assert zf("plan", "tasks", "done", "policy", "--evidence", str(paper), "-w", str(planned)).stdout.startswith(
        "policy: 完成"
    )
    assert json.loads(zf("plan", "tasks", "overdue", "--json", "-w", str(planned)).stdout) == []
    checked = json.loads(zf("plan", "tasks", "check", "--json", "-w", str(planned)).stdout)
    assert [item["item"] for item in checked if item["met"]] == ["cieccpa002.policy"]
    again = zf("plan", "tasks", "done", "policy", "-w", str(planned))
    assert again.returncode == 2
    assert "已结束" in again.stderr
    assert "open" in zf("plan", "tasks", "reopen", "policy", "-w", str(planned), language="en").stdout
    out = planned.parent / "tasks.ics"
    assert zf("plan", "tasks", "export", "--out", str(out), "-w", str(planned)).returncode == 0
    assert out.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    assert zf("verify", "-w", str(planned)).returncode == 0


def test_adding_a_task_twice_is_refused(planned: Path, zf: Call) -> None:
    call = (
        "plan",
        "tasks",
        "add",
        "audit",
        "--title",
        "内审",
        "--owner",
        "carbon",
        "--due",
        "2026-09-30",
        "-w",
        str(planned),
    )
    assert zf(*call).returncode == 0
    twice = zf(*call)
    assert twice.returncode == 2
    assert "已存在" in twice.stderr
    listed = json.loads(zf("plan", "tasks", "list", "--json", "-w", str(planned)).stdout)
    assert {task["task"]: task["state"] for task in listed} == {"policy": "open", "audit": "open"}


def test_the_catalogue_fits_a_hundred_columns(zf: Call) -> None:
    for language in ("zh", "en"):
        done = zf("plan", "measures", language=language)
        assert done.returncode == 0
        assert max(_width(line) for line in done.stdout.splitlines()) <= 100
    rows = json.loads(zf("plan", "measures", "--json").stdout)
    assert len(rows) >= 40
    one = json.loads(zf("plan", "measures", "paint_dry_separation", "--json").stdout)
    assert any("60 %" in text for text in one["references"])
    unknown = zf("plan", "measures", "paint_dry_seperation")
    assert unknown.returncode == 2
    assert "paint_dry_separation" in unknown.stderr


def _width(line: str) -> int:
    return sum(2 if "\u2e80" <= letter <= "\uffef" and letter not in "─" else 1 for letter in line)


def test_published_targets_are_examples_with_their_source(zf: Call) -> None:
    rows = json.loads(zf("plan", "targets", "--examples", "--json").stdout)
    assert all(row["source"] and row["status"] in ("verified", "secondary", "placeholder") for row in rows)
    assert "大众" in zf("plan", "targets", "--examples").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--years", "2026"), "2026-2050"),
        (("--years", "2024-2030"), "2025"),
        (("--limit", "beauty>=1"), "emissions_12"),
        (("--limit", "emissions_12=5"), "指标<=值@年"),
        (("--scenario", "dream"), "stated"),
        (("--carbon-price", "dream"), "rising"),
        ((), "zf close --period 2025"),
    ],
)
def test_a_wrong_call_says_what_to_write(planned: Path, zf: Call, arguments: tuple[str, ...], said: str) -> None:
    done = zf("plan", "roadmap", *arguments, "-w", str(planned))
    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_plan_it_says_how_to_get_one(closed: Path, zf: Call) -> None:
    done = zf("plan", "show", "-w", str(closed), language="en")
    assert done.returncode == 2
    assert "zf plan set --example" in done.stderr
    wrong = zf("plan", "set", "--example", "-w", str(closed))
    assert wrong.returncode == 2  # the example names meters that this plant does not have
    assert "E-ST-P1" in wrong.stderr
