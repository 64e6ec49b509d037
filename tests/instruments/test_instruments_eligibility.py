"""Every rule in turn: a batch that meets them all, one thing changed, and the rule that then refuses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from zerofactory.instruments.batch import Batch
from zerofactory.instruments.eligibility import BY_THE_BOOK, TESTS, Setting, refusals
from zerofactory.instruments.neutrality import neutrality_standards
from zerofactory.instruments.purpose import Purpose
from zerofactory.instruments.rule import rules
from zerofactory.instruments.serial import SerialRange

OWN = "示例汽车有限公司"
SETTING = Setting(date(2026, 3, 1), (OWN,), "CN")
CERTIFICATE = Batch(
    "gec-1", "gec", "gec", SerialRange("G-", "", 1, 9, 3), date(2025, 3, 1), date(2025, 3, 31), "P1", "CN", OWN,
    project_type="onshore_wind",
)  # fmt: skip
CREDIT = replace(
    CERTIFICATE, batch_id="ccer-1", kind="ccer", registry="ccer", vintage_start=date(2023, 1, 1),
    vintage_end=date(2023, 12, 31), project_type="afforestation", registered_on=date(2024, 6, 1),
)  # fmt: skip
POWER = Purpose("C1", "scope2_market", "", "2025", OWN, "p", "", None, "r", "a", "t")
OFFSET = replace(POWER, use="neutrality", standard="iso_14068_1_2023")
COMPLIANCE = replace(POWER, use="ets_compliance", obligation=1000)

CASES: list[tuple[Batch, Purpose, dict[str, Any], set[str]]] = [
    (CERTIFICATE, POWER, {}, set()),
    (CERTIFICATE, POWER, {"on": date(2027, 2, 28)}, set()),
    (CERTIFICATE, POWER, {"on": date(2027, 3, 1)}, {"gec.valid"}),
    (replace(CERTIFICATE, tradable=False), POWER, {}, {"gec.type"}),
    (replace(CERTIFICATE, tradable=False, self_use=True), POWER, {}, set()),
    (replace(CERTIFICATE, tradable=False, self_use=True), POWER, {"self_use_sold": True}, {"dc.onsite"}),
    (replace(CERTIFICATE, project_type="storage"), POWER, {}, {"gec.storage"}),
    (replace(CERTIFICATE, exclusive=False), POWER, {}, {"gec.ccer"}),
    (replace(CERTIFICATE, project_type="offshore_wind"), POWER, {}, {"gec.ccer"}),
    (replace(CERTIFICATE, project_type="offshore_wind", exclusive=True), POWER, {}, set()),
    (CERTIFICATE, POWER, {"clashes": {"gec-1": "ccer-9"}}, {"gec.ccer"}),
    (replace(CERTIFICATE, market="DE"), POWER, {}, {"s2.market"}),
    (replace(CERTIFICATE, beneficiary="另一家"), POWER, {}, {"beneficiary"}),
    (CERTIFICATE, replace(POWER, beneficiary="另一家"), {}, {"beneficiary"}),
    (CERTIFICATE, replace(POWER, period="2024-12"), {}, {"s2.vintage"}),
    (CERTIFICATE, OFFSET, {}, {"offset.nature", "iso14068.kinds"}),
    (
        replace(CERTIFICATE, kind="irec", vintage_start=date(2024, 1, 1)),
        replace(POWER, period="2024"),
        {},
        {"irec", "s2.vintage"},
    ),
    (replace(CERTIFICATE, kind="irec", market="VN"), POWER, {}, {"s2.market"}),
    (CREDIT, OFFSET, {}, set()),
    (CREDIT, POWER, {}, {"s2.kind"}),
    (replace(CREDIT, vintage_start=date(2019, 1, 1), vintage_end=date(2019, 12, 31)), OFFSET, {}, {"iso14068.credits"}),
    (replace(CREDIT, vintage_end=date(2026, 1, 1)), OFFSET, {}, {"iso14068.credits"}),
    (replace(CREDIT, kind="tree"), OFFSET, {}, {"tree", "offset.nature", "iso14068.kinds"}),
    (replace(CREDIT, kind="cea"), OFFSET, {}, {"cea.use", "offset.nature", "iso14068.kinds"}),
    (replace(CREDIT, project_type="solar_pv"), OFFSET, {}, {"ccer.scope"}),
    (replace(CREDIT, project_type="solar_pv", registered_on=date(2015, 1, 1)), OFFSET, {}, set()),
    (CREDIT, COMPLIANCE, {}, set()),
    (replace(CREDIT, registered_on=date(2015, 1, 1)), COMPLIANCE, {}, {"ccer.legacy"}),
    (replace(CREDIT, registered_on=None), COMPLIANCE, {}, {"ccer.legacy"}),
    (replace(CREDIT, ets_covered=True), COMPLIANCE, {}, {"ccer.own"}),
    (replace(CREDIT, kind="vcs"), COMPLIANCE, {}, {"ets.kind"}),
    (replace(CREDIT, kind="cea"), COMPLIANCE, {}, set()),
]


@pytest.mark.parametrize(("batch", "purpose", "facts", "wanted"), CASES)
def test_one_thing_changed(batch: Batch, purpose: Purpose, facts: dict[str, Any], wanted: set[str]) -> None:
    standard = neutrality_standards()["iso_14068_1_2023"]
    more = standard.at("offset") if purpose.use == "neutrality" else ()
    found = refusals(batch, purpose, replace(SETTING, **facts), more)
    assert {problem.code.partition(".")[2] for problem in found} == wanted
    for problem in found:
        assert problem.message.zh.endswith("]")
        assert problem.message.en.endswith("]")


def test_every_mandatory_rule_refuses_in_some_case() -> None:
    met = {name for *_, wanted in CASES for name in wanted}
    tested = {
        rule.id.removeprefix("inst.") for rule in rules().values() if rule.mandatory and rule.test not in BY_THE_BOOK
    }
    assert tested <= met
    asked = {one.test for standard in neutrality_standards().values() for one in standard.requirements}
    assert set(TESTS) <= asked | {rule.test for rule in rules().values()}
