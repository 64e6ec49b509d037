"""The twin over OPC UA, read by a library that is not ours: every station, its values, units and times; nothing can be written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from tests.runs.test_runs_twin_now import FIRST, MIDNIGHT, made  # noqa: F401  (a fixture)

from zerofactory.connectors import opc_ua_server
from zerofactory.connectors.opc_ua_server import Entrance, paths
from zerofactory.errors import FaultyData
from zerofactory.optimisation.twin.line import STATES
from zerofactory.runs import twin, twin_now, twin_serve
from zerofactory.runs.context import Context
from zerofactory.runs.twin_day import SimulatedDays

READER = Path(__file__).with_name("foreign_opc_ua.py")
Made = tuple[Context, twin.Simulated]
AT = MIDNIGHT + timedelta(days=1, hours=10)


@contextmanager
def served(context: Context, *options: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """Run the command and yield what it printed when it listens; it must end cleanly when it is asked to."""
    command = [sys.executable, "-m", "zerofactory.cli", "twin", "serve", "--port", "0", "--json", *options]
    process = subprocess.Popen([*command, "-w", str(context.workspace.folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while not lines[-1].startswith("}"):
            assert lines[-1], "it ended before it listened"
            lines.append(process.stdout.readline())
        yield json.loads("".join(lines)), process
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def read(url: str, plant: str) -> dict[str, Any]:
    """Return what the foreign client saw."""
    done = subprocess.run(
        [sys.executable, str(READER), url, plant], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_foreign_client_reads_every_station_and_writes_nothing(made: Made) -> None:  # noqa: F811
    plant, _ = made
    with served(plant, "--replay", "2025-03-04T10:00", "--speed", "0.001", "--http-port", "0") as (told, _process):
        found = read(told["opc_ua"], "small")
        with urlopen(told["aas"] + "/shells?limit=1", timeout=60) as answer:
            assert json.load(answer)["result"][0]["modelType"] == "AssetAdministrationShell"
    truth = twin_now.now(plant, AT)
    booth, oven = truth.station("booth"), truth.station("oven")
    head = "paint/booth/booth"
    assert found["types"]["paint"] == "ShopType"
    assert found["types"]["paint/booth"] == "LineType"
    assert found["types"][head] == found["types"]["paint/oven"] == "StationType"
    assert found["machines"] == ["booth", "hand", "oven"]
    assert found[f"{head}/State"]["value"] == booth.state
    assert found[f"{head}/StateNumber"]["names"][found[f"{head}/StateNumber"]["value"]]
    assert found[f"{head}/StateNumber"]["value"] == STATES.index(booth.state or "")
    assert found[f"{head}/Power"]["value"] == pytest.approx(booth.power_kw)
    assert found[f"{head}/ExpectedPower"]["value"] == pytest.approx(booth.expected_kw)
    assert found[f"{head}/Since"]["value"] == (booth.since or AT).replace(tzinfo=None).isoformat()
    assert found[f"{head}/Power"]["at"] == AT.replace(tzinfo=None).isoformat()
    assert found[f"{head}/Power"]["unit"] == int.from_bytes(b"KWT", "big")
    assert found[f"{head}/EnergyToday"]["unit"] == int.from_bytes(b"KWH", "big")
    assert found[f"{head}/MadeToday"]["value"] == booth.made_today
    assert found[f"{head}/MadeTodayIs"]["value"] == "estimated"
    assert found["paint/oven/MadeToday"]["value"] == oven.made_today
    assert found["paint/oven/MadeTodayIs"]["value"] == "counted"
    assert {one["status"] for one in found.values() if isinstance(one, dict) and "status" in one} == {"Good"}
    assert found["paint/hand/State"]["value"] == "unmetered"
    assert "paint/hand/Power" not in found
    assert found["Buffers/b/Level"]["value"] == truth.levels["b"]
    assert found["Buffers/b/Capacity"]["value"] == 5
    assert found["paint/Power"]["value"] == pytest.approx((booth.power_kw or 0) + (oven.power_kw or 0))
    assert found["Power"]["value"] == found["paint/Power"]["value"]
    assert found["Source"]["value"] == "replay"
    variables = [one for one in found.values() if isinstance(one, dict) and "written" in one]
    assert len(variables) == told["variables"]
    assert {one["written"] for one in variables} == {"BadUserAccessDenied"}
    assert found["added"] == "BadUserAccessDenied"


def test_what_is_too_old_has_a_bad_status_and_no_value(made: Made) -> None:  # noqa: F811
    plant, _ = made
    late = replace(plant, now=MIDNIGHT + timedelta(days=4, hours=1))
    watcher = twin_now.Watcher(late)
    told = twin_serve.values(watcher.look(late.now), watcher.twin, 1.0)
    watcher.close()
    assert (told["station.booth.Power"].value, told["station.booth.Power"].status) == (None, "bad")
    assert told["station.booth.Power"].at == MIDNIGHT + timedelta(days=4)
    assert told["plant.Power"].status == "bad"
    root = twin_serve.space(late, watcher.twin, counted=False)
    assert set(paths(root)) <= set(told), "every variable is given a value"


def test_simulated_days_are_the_run_moment_by_moment(made: Made) -> None:  # noqa: F811
    plant, _ = made
    days = SimulatedDays(plant, FIRST, 2, seed=5)
    begin = MIDNIGHT + timedelta(hours=7)
    looks = [days.look(begin + timedelta(minutes=minute)) for minute in range(0, 480, 5)]
    for station in ("booth", "oven"):
        mean = sum(one.station(station).power_kw or 0.0 for one in looks) / len(looks)
        end = days.look(begin + timedelta(hours=8)).station(station).energy_today["electricity"]
        before = days.look(begin).station(station).energy_today["electricity"]
        assert mean * 8.0 == pytest.approx(end - before, rel=0.1), "power adds up to energy"
    assert all(0 <= (one.levels["b"] or 0) <= 5 for one in looks)
    assert [one.station("oven").made_today for one in looks] == sorted(
        one.station("oven").made_today or 0 for one in looks
    )
    assert days.look(MIDNIGHT + timedelta(days=1, seconds=1)).station("oven").made_today == 0
    assert days.look(MIDNIGHT + timedelta(hours=3)).station("oven").state == "off"
    told = twin_serve.values(looks[0], days.twin, 60.0)
    assert told["plant.SimulatedSpeed"].value == 60.0
    assert set(paths(twin_serve.space(plant, days.twin, counted=True))) <= set(told)


def test_with_a_password_nobody_else_reads(made: Made) -> None:  # noqa: F811
    from opcua import Client
    from opcua.ua.uaerrors import UaStatusCodeError

    plant, _ = made
    asked = twin_serve.Asked(Entrance(port=0, users={"reader": "ö-secret"}), AT, seconds=2.0)
    seen: list[str] = []

    def visit(name: str | None, password: str | None) -> None:
        client = Client(urls[0])
        if name:
            client.set_user(name)
            client.set_password(password)
        try:
            client.connect()
            client.disconnect()
            seen.append("in")
        except UaStatusCodeError as error:
            client.disconnect_socket()
            seen.append(type(error).__name__)

    urls: list[str] = []
    _while_serving(
        plant, asked, urls, lambda: [visit("reader", "ö-secret"), visit("reader", "wrong"), visit(None, None)]
    )
    assert seen[0] == "in"
    assert seen[1] == "BadUserAccessDenied"
    assert seen[2].startswith("Bad")


def test_with_a_certificate_only_encrypted_channels_are_served(made: Made, tmp_path: Path) -> None:  # noqa: F811
    from opcua import Client
    from opcua.ua.uaerrors import UaError

    plant, _ = made
    certificate, key = _certificate(tmp_path)
    asked = twin_serve.Asked(Entrance(port=0, certificate=certificate, key=key), AT, seconds=2.0)
    urls: list[str] = []
    seen: list[object] = []

    def visit() -> None:
        client = Client(urls[0])
        client.set_security_string(f"Basic256Sha256,SignAndEncrypt,{certificate},{key}")
        client.application_uri = "urn:reader"
        client.connect()
        seen.append(client.get_node("ns=1;s=plant.Source").get_value())
        client.disconnect()
        plain = Client(urls[0])
        try:
            plain.connect()
            seen.append("in the clear")
        except UaError as error:
            plain.disconnect_socket()
            seen.append(type(error).__name__)

    _while_serving(plant, asked, urls, visit)
    assert seen[0] == "replay"
    assert seen[1] != "in the clear"


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate of its own making and its key."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "zerofactory test")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier("urn:zerofactory:plant:small"), x509.DNSName("localhost")]
    )
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / "cert.der", folder / "key.pem"
    files[0].write_bytes(signed.public_bytes(serialization.Encoding.DER))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def _while_serving(plant: Context, asked: twin_serve.Asked, urls: list[str], does: Callable[[], object]) -> None:
    """Do something in a thread of its own while the twin is served here."""
    import threading

    faults: list[BaseException] = []

    def inside() -> None:
        try:
            does()
        except BaseException as error:
            faults.append(error)

    visitor = threading.Thread(target=inside)

    def told(served: twin_serve.Served) -> None:
        urls.append(served.url)
        visitor.start()

    twin_serve.serve(plant, asked, told)
    visitor.join(20)
    assert not faults, faults


def test_without_the_library_it_says_how_to_install_it(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(opc_ua_server, "find_spec", lambda name: None)
    with pytest.raises(FaultyData) as caught:
        twin_serve.serve(made[0], twin_serve.Asked(), lambda served: None)
    assert "zerofactory[connect]" in caught.value.problems[0].sentence("en")


def test_wrong_wishes_are_named(made: Made, tmp_path: Path) -> None:  # noqa: F811
    plant, _ = made
    for asked, code in (
        (twin_serve.Asked(speed=0.0), "twin_serve.speed"),
        (twin_serve.Asked(simulated=True), "twin_serve.simulated"),
        (twin_serve.Asked(Entrance(certificate=tmp_path)), "opc_ua_server.half"),
        (
            twin_serve.Asked(Entrance(port=0, certificate=tmp_path / "no.pem", key=tmp_path / "no.key")),
            "opc_ua_server.certificate",
        ),
    ):
        with pytest.raises(FaultyData) as caught:
            twin_serve.serve(plant, asked, lambda served: None)
        assert [one.code for one in caught.value.problems] == [code]
