"""connections.toml: every fault at once, in both languages, with its place."""

from __future__ import annotations

from zerofactory.connectors.connection import protocols, wiring
from zerofactory.site.model import Plant

FAULTY = """
[collector]
drain_seconds = -1
nonsense = 3

[[connections]]
id = "a"
protocol = "modbuss"
address = "x"

[[connections]]
id = "b"
protocol = "modbus_tcp"
address = "10.0.0.1:502"
device = "no-such"
options = { colour = "red", framer = 3 }
[[connections.meters]]
meter = "R9"
station = "1"
point = "energy_import"

[[connections]]
id = "c"
protocol = "modbus_tcp"
address = "10.0.0.1:502"
device = "tuf-2000-water"
poll_second = 3

[[connections]]
id = "d"
protocol = "modbus_tcp"
address = "10.0.0.1:502"
device = "tuf-2000-water"
[[connections.meters]]
meter = "R1"
station = "1"
point = "volume"
[[connections.meters]]
meter = "I1"
station = "1"
point = "volumes"

[[connections]]
id = "e"
protocol = "dlt645"
address = "10.0.0.1"
device = "abb-b23"
[[connections.meters]]
meter = "I1"
station = "1"
point = "energy_import"
"""


def test_every_fault_is_told_at_once(tiny: Plant) -> None:
    made, problems = wiring(FAULTY, tiny)
    assert made is None
    told = {(problem.code.partition(".")[2], problem.column) for problem in problems}
    assert {
        ("not_a_choice", "collector.nonsense"), ("not_positive", "collector.drain_seconds"),
        ("not_a_choice", "connections[0].protocol"), ("not_a_choice", "connections[1].device"),
        ("not_a_choice", "connections[1].options"), ("wrong_type", "connections[1].options.framer"),
        ("not_a_choice", "connections[1].meters[0].meter"), ("form", "connections[2].poll_second"),
        ("not_a_choice", "connections[3].meters[1].point"), ("wrong_device", "connections[4].device"),
        ("interval_polled", "connections[4].values"),
    } <= told  # fmt: skip
    assert any(problem.column == "connections[3].meters[0].unit" for problem in problems)  # m3 cannot become kWh
    for problem in problems:
        assert problem.message.zh
        assert problem.hint.en
        assert problem.file == "connections.toml"


def test_not_toml_and_nothing_to_do(tiny: Plant) -> None:
    assert wiring("a = [", tiny)[1][0].code == "connectors.not_toml"
    assert wiring("", tiny)[1][0].code == "connectors.no_connections"


def test_one_meter_from_two_places(tiny: Plant) -> None:
    entry = '[[connections]]\nid = "{}"\nprotocol = "mqtt_json"\naddress = "x"\n[[connections.meters]]\nmeter = "R1"\nstation = "t"\n'
    made, problems = wiring(entry.format("a") + entry.format("b"), tiny)
    assert made is None
    assert [problem.code for problem in problems] == ["connectors.meter_twice"]


def test_every_protocol_says_what_it_yields() -> None:
    assert set(protocols()) == {
        "dlt645", "folder_watch", "http_push", "modbus_tcp", "mqtt_json", "opc_ua", "sparkplug",
    }  # fmt: skip
    for kind in protocols().values():
        assert kind.title.zh
        assert kind.yields.zh
        assert kind.yields.en
        assert kind.reference
