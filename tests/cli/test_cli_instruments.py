"""`zf instruments` and `zf declare` as a person and as a program use them: both languages, JSON, exit codes, wrong calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

HEADS = "起始编号,终止编号,绿证数量,电量生产月份,建档立卡编码,项目名称,能源类型,账户名称\n"
ROW = "GEC-000001,GEC-000100,100,2025-04,WIND-01,张北风电场,风电,示例汽车有限公司\n"
SOURCE = '\n[[sources]]\nid = "green-power"\nkind = "green_power_contract"\nname = "绿证"\nshop = "assembly"\nitem = "electricity"\n'


@pytest.fixture
def plant(closed: Path, tmp_path: Path) -> Path:
    """The tiny plant, March closed, with a source of green power and an export beside it."""
    file = closed / "factory.toml"
    file.write_text(file.read_text("utf-8") + SOURCE, "utf-8")
    (tmp_path / "gec.csv").write_text(HEADS + ROW, "utf-8")
    return closed


def answer(done: Any) -> Any:
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("plant")
def test_the_whole_way_in_json(zf: Any) -> None:
    made = answer(zf("instruments", "import", "gec.csv", "--registry", "gec", "-w", "plant", "--json"))
    assert made == [{"file": "gec.csv", "registry": "gec", "batches": 1, "units": {"gec": 100}, "status": "imported"}]
    asked = (
        "--use",
        "scope2_market",
        "--amount",
        "60",
        "--period",
        "2025-04",
        "--reason",
        "April",
        "-w",
        "plant",
        "--json",
    )
    reserved = answer(zf("instruments", "reserve", *asked))
    assert reserved["claim"] == "C0001"
    assert [one["serials"] for one in reserved["transfers"]] == ["GEC-000001..GEC-000060"]
    retired = answer(zf("instruments", "retire", "C0001", "--certificate", "N1", "-w", "plant", "--json"))
    assert [(one["from"], one["to"]) for one in retired["transfers"]] == [
        ("reserved", "retired"),
        ("retired", "claimed"),
    ]
    shown = answer(zf("instruments", "show", "-w", "plant", "--json"))
    assert shown["position"][0]["units"] == {
        "held": 40,
        "reserved": 0,
        "retired": 0,
        "claimed": 60,
        "expired": 0,
        "sold": 0,
        "cancelled": 0,
    }
    assert [row["transfer"] for row in answer(zf("instruments", "show", "C0001", "-w", "plant", "--json"))] == [
        "T0000002",
        "T0000003",
        "T0000004",
    ]
    assert answer(zf("instruments", "calendar", "-w", "plant", "--json"))[0]["expires_on"] == "2027-03-31"
    back = answer(zf("instruments", "take-back", "C0001", "--reason", "wrong", "-w", "plant", "--json"))
    assert back["transfers"][-1]["to"] == "held"
    assert answer(zf("verify", "-w", "plant", "--json"))["clean"] is True


@pytest.mark.usefixtures("plant")
def test_refusals_leave_with_two_and_cite(zf: Any, tmp_path: Path) -> None:
    zf("instruments", "import", "gec.csv", "--registry", "gec", "-w", "plant")
    call = ("instruments", "reserve", "--use", "scope2_market", "--period", "2025-04", "--reason", "x", "-w", "plant")
    for more, cited in (
        (("--amount", "101"), "too few"),
        (("--amount", "5", "--beneficiary", "Other Ltd"), "criterion 3"),
        (("--amount", "5", "--kind", "gas"), "no kind of instrument 'gas'"),
        (("--amount", "5", "--batch", "gec-1"), "no batch 'gec-1'"),
    ):
        done = zf(*call, *more, language="en")
        assert done.returncode == 2
        assert cited in " ".join(done.stderr.split()), done.stderr
    (tmp_path / "twice.csv").write_text(HEADS + ROW.replace("100,100", "100,100 "), "utf-8")
    done = zf("instruments", "import", "twice.csv", "--registry", "gec", "-w", "plant", "--json")
    assert done.returncode == 2
    assert [one["code"] for one in json.loads(done.stdout)["problems"]] == ["instruments.serial_twice"]
    assert zf("instruments", "import", "gec.csv", "--registry", "nea", "-w", "plant").returncode == 2
    assert (
        zf(
            "instruments",
            "reserve",
            "--use",
            "gift",
            "--amount",
            "1",
            "--period",
            "2025",
            "--reason",
            "x",
            "-w",
            "plant",
        ).returncode
        == 2
    )


@pytest.mark.usefixtures("plant")
@pytest.mark.parametrize("tonnes", ["nan", "inf", "-3"])
def test_a_reduction_that_is_no_amount_is_refused(zf: Any, tonnes: str) -> None:
    call = (
        "instruments",
        "measure",
        "--period",
        "2025",
        "--measure",
        "led",
        "--outcome",
        "done",
        "--reduction",
        tonnes,
        "-w",
        "plant",
        "--json",
    )
    done = zf(*call)
    assert done.returncode == 2
    assert [one["code"] for one in json.loads(done.stdout)["problems"]] == ["neutrality.reduction"]


@pytest.mark.usefixtures("plant")
def test_a_declaration_lists_every_reason_in_both_languages(zf: Any) -> None:
    for language, wanted in (("zh", "降无可降"), ("en", "only what cannot be reduced")):
        done = zf(
            "declare", "--period", "2025", "--standard", "auto_zero_carbon_factory", "-w", "plant", language=language
        )
        assert done.returncode == 2
        assert wanted in "".join(done.stderr.split()) or wanted in " ".join(done.stderr.split())
    done = zf("declare", "--period", "2025", "--check", "--json", "-w", "plant")
    told = answer(done)
    assert told["ready"] is False
    assert told["balance"] is None
    assert {one["code"] for one in told["problems"]} >= {
        "declare.iso14068.foot",
        "declare.iso14068.hier",
        "declare.iso14068.verify",
    }
    wrong = zf("declare", "--period", "2025", "--out", "x.docx", "-w", "plant")
    assert wrong.returncode == 2
    assert ".pdf" in wrong.stderr
    assert zf("declare", "--period", "2025", "--standard", "iso_9001", "-w", "plant").returncode == 2
