"""`zf evaluate`: tables within 100 columns in both languages, JSON, files, attestations, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Call


def widest(text: str) -> int:
    from rich.cells import cell_len

    return max(cell_len(line.rstrip()) for line in text.splitlines())


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_tables_fit_100_columns(zf: Call, closed: Path, lang: str) -> None:
    for arguments in (
        ("evaluate", "standards"),
        ("evaluate", "--all", "--period", "2025-03"),
        ("evaluate", "--standard", "auto_zero_carbon_factory", "--period", "2025-03", "--gap"),
        ("evaluate", "--standard", "gb_t_36132_2025", "--period", "2025-03"),
    ):
        done = zf(*arguments, "-w", str(closed), ZF_LANG=lang)
        assert done.returncode == 0, done.stderr
        assert widest(done.stdout) <= 100, arguments
        assert "zf explain" in done.stdout or "--all" in arguments or "standards" in arguments


def test_json_of_one_and_of_all(zf: Call, closed: Path) -> None:
    one = json.loads(
        zf(
            "evaluate", "--standard", "gb_t_36132_2025", "--period", "2025-03", "--gap", "--json", "-w", str(closed)
        ).stdout
    )
    assert one["standard"] == "gb_t_36132_2025"
    assert one["score"]["full"] == 100
    assert {"criterion", "value", "verdict", "confidence_fraction", "evidence", "link", "points"} <= set(
        one["findings"][0]
    )
    assert one["gap"]["missing"]
    every = json.loads(zf("evaluate", "--all", "--period", "2025-03", "--json", "-w", str(closed)).stdout)
    assert len(every) == 17
    listed = json.loads(zf("evaluate", "standards", "--json").stdout)
    assert [book["id"] for book in listed] == [book["standard"] for book in every]


def test_attest_and_evaluate(zf: Call, closed: Path, tmp_path: Path) -> None:
    paper = tmp_path / "plan.pdf"
    paper.write_bytes(b"plan")
    where = ("-w", str(closed), "--period", "2025-03")
    asked = ("evaluate", "attest", "--standard", "auto_zero_carbon_factory", "--criterion", "basic.plan")
    refused = zf(*asked, *where, ZF_LANG="en")
    assert refused.returncode == 2
    assert "No file of evidence" in refused.stderr
    done = zf(*asked, "--evidence", str(paper), "--text", "路线图", *where)
    assert done.returncode == 0, done.stderr
    assert "plan.pdf" in done.stdout
    found = json.loads(zf("evaluate", "--standard", "auto_zero_carbon_factory", "--json", *where).stdout)
    finding = next(one for one in found["findings"] if one["criterion"] == "basic.plan")
    assert finding["verdict"] == "met"
    assert "test" in finding["evidence"]
    amount = zf(
        "evaluate",
        "attest",
        "--amount",
        "land_area",
        "--value",
        "12",
        "--unit",
        "ha",
        "--evidence",
        str(paper),
        "--json",
        *where,
    )
    assert json.loads(amount.stdout)["value"] == 120_000.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--period", "2025-03"), "No standard was named"),
        (("--standard", "gb_36132", "--period", "2025-03"), "gb_t_36132_2025"),
        (("--standard", "gb_t_36132_2025"), "is not a period"),
        (("--standard", "gb_t_36132_2025", "--period", "2025-04"), "Not closed yet"),
        (("--standard", "gb_t_36132_2025", "--period", "2025-03", "--out", "x.pdf"), "Cannot write"),
        (("attest", "--period", "2025-03"), "name --standard with --criterion, or --amount"),
        (("attest", "--period", "2025-03", "--amount", "land_area", "--verdict", "maybe"), "not_applicable"),
    ],
)
def test_wrong_calls_say_what_is_wrong(zf: Call, closed: Path, arguments: tuple[str, ...], said: str) -> None:
    place = ("-w", str(closed))
    done = zf("evaluate", *arguments, *place, ZF_LANG="en")
    assert done.returncode == 2
    assert said in done.stderr
    assert json.loads(zf("evaluate", *arguments, "--json", *place).stdout)["problems"]


def test_a_threshold_without_source_is_refused_with_its_line(zf: Call, closed: Path) -> None:
    (closed / "thresholds.toml").write_text(
        '# 限值\n\n[[threshold]]\nstandard = "gb_t_36132_2025"\ncriterion = "gb36132.01"\nunit = "tce/辆"\nbase = 0.3\ndate = 2026-01-01\n',
        encoding="utf-8",
    )
    done = zf("evaluate", "--standard", "gb_t_36132_2025", "--period", "2025-03", "-w", str(closed))
    assert done.returncode == 2
    assert "thresholds.toml 第3行: 限值没有出处" in done.stderr


def test_check_looks_at_thresholds_and_own_books(zf: Call, closed: Path) -> None:
    entry = '[[threshold]]\nstandard = "gb_t_36132_2025"\ncriterion = "gb36132.99"\nunit = "%"\nbase = 1\nsource = "x"\ndate = 2026-01-01\n'
    (closed / "thresholds.toml").write_text(entry, encoding="utf-8")
    (closed / "standards").mkdir()
    (closed / "standards" / "own.yaml").write_text(
        """title: { zh: "厂标", en: "own" }
publisher: { zh: "厂", en: "plant" }
edition: "1"
status: in_force
citations: []
dimensions: []
indicators:
  - { id: x, zh: "甲", en: "X", unit: fraction, formula: "x / 2", reference: "own rule" }
criteria: []
""",
        encoding="utf-8",
    )
    done = zf("check", "-w", str(closed), language="en")
    assert done.returncode == 2
    assert "thresholds.toml, row 1: gb_t_36132_2025 has no 'gb36132.99'" in done.stderr + done.stdout
    assert "standards/own.yaml, row 8: indicators go in a circle: x → x" in done.stderr + done.stdout
