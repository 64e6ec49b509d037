"""The client speaks to a running server with the server's own words."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.api.test_api_pact_conformance import certificate

from zerofactory.api.app import Settings, create
from zerofactory.client import Client
from zerofactory.errors import FaultyData, NotFound
from zerofactory.runs import access
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore


@pytest.fixture
def address(root: Path) -> Iterator[str]:
    """Return the address of a server over two plants."""
    server = uvicorn.Server(uvicorn.Config(create(root, Settings(upload_megabytes=20)), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def token(store: AccessStore) -> str:
    """Return the token of a manager of both plants."""
    user = store.add_user("robot", "robot", "", at=stamp(clock()))
    store.grant(user.user_id, ANY_SITE, "manager")
    person = access.Person(user, {ANY_SITE: "manager"})
    asked = access.TokenAsked("test", ("read", "record", "manage"))
    return access.new_token(store, person, asked, clock())[0]


def test_a_month_by_the_client(
    address: str, token: str, write_readings: Callable[..., Path], write_form: Callable[..., Path]
) -> None:
    plant = Client(address, token, site="west")
    assert [one["site"] for one in plant.site.show()["items"]] == ["east", "west"]
    form = write_form("diesel,2025-01-01,2025-01-31,1000,L,diesel,invoiced,D-1,")
    checked = plant.book.import_(files=[write_readings(1), form], dry_run=True)
    assert {one["status"] for one in checked["files"]} == {"checked"}
    plant.book.import_(files=[write_readings(1), form])
    closed = plant.book.close(period="2025-01")
    found = plant.inventory.show(period="2025-01", by="source")
    assert found["total_gco2e"] == closed["months"][0]["total_gco2e"]
    assert json.dumps(plant.inventory.explain(figure="diesel@2025-01")).count("D-1") >= 1
    assert plant.book.verify()["clean"] is True
    assert plant.book.template_(form="activities")[:2] == b"PK"
    assert Client(address, token, site="east").book.journal()["total"] == 1


def test_faults_come_back_as_they_are(address: str, token: str, write_form: Callable[..., Path]) -> None:
    plant = Client(address, token, site="west")
    with pytest.raises(FaultyData) as caught:
        plant.book.import_(files=[write_form("ghost,2025-01-01,2025-01-31,-1,L,diesel,invoiced,D-1,")])
    assert caught.value.problems[0].row == 2
    with pytest.raises(NotFound):
        plant.book.fly()
    with pytest.raises(NotFound):
        plant.zebra.show()
    with pytest.raises(FaultyData, match="Log in first"):
        Client(address, "guess").site.show()


def test_a_token_never_travels_in_the_open() -> None:
    for wrong in ("http://carbon.example.cn", "http://127.0.0.1.evil.example", "ftp://127.0.0.1"):
        with pytest.raises(FaultyData, match="plain HTTP"):
            Client(wrong, "secret")


def test_a_certificate_nobody_vouches_for_gets_no_token(
    root: Path, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert_file, key_file = certificate(tmp_path)
    config = uvicorn.Config(create(root, Settings(secure=True)), port=0, log_level="error", ssl_certfile=str(cert_file), ssl_keyfile=str(key_file))  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    place = f"https://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with pytest.raises(FaultyData) as caught:
            Client(place, token, "east").book.check()
        assert caught.value.problems[0].code == "client.certificate"
        assert token not in str(caught.value)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert_file))  # who trusts it gets in
        assert Client(place, token, "east").site.show()["items"]
        with pytest.raises(FaultyData):  # the name on it counts as well
            Client(place.replace("127.0.0.1", "localhost"), token, "east").book.check()
    finally:
        server.should_exit = True
        thread.join(20)
    with pytest.raises(FaultyData) as caught:
        Client(place, token, "east").book.check()
    assert caught.value.problems[0].code == "client.unreached"


def test_what_the_commands_do_the_client_does(address: str, token: str, tmp_path: Path, write_readings: Callable[..., Path], write_form: Callable[..., Path]) -> None:  # fmt: skip
    plant = Client(address, token, site="west")
    plant.book.import_(
        files=[write_readings(1), write_form("diesel,2025-01-01,2025-01-31,1000,L,diesel,invoiced,D-1,")]
    )
    plant.book.close(period="2025-01")
    totals = plant.live.totals(period="2025-01", by="day")
    assert json.dumps(totals).count("G1") == 31
    assert {one["rule"] for one in plant.alarms.rules()["items"]} >= {"anomaly"}
    assert plant.energy.tariffs()["items"]
    assert plant.energy.commands()["items"] == []
    measures = plant.plan.measures(kind="efficiency")["items"]
    assert plant.plan.measure(measure=measures[0]["measure"])["measure"] == measures[0]["measure"]
    picture = tmp_path / "photo.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    kept = plant.instruments.evidence(period="2025", topic="disclosure", text="https://example.cn", file=picture)
    assert (kept["file_name"], len(kept["evidence"])) == ("photo.png", 64)
    with pytest.raises(FaultyData) as caught:
        plant.instruments.evidence(period="2025", topic="disclosure", file=write_readings(2, name="page.exe"))
    assert caught.value.problems[0].code.endswith("kind")
    done = plant.instruments.measure(period="2025", measure="led", outcome="done", reduction_tco2e=1.5)
    assert done["reduction_gco2e"] == 1_500_000
    attested = plant.evaluation.attest_(period="2025", amount="land_area", value=12.0, unit="ha", file=picture)
    assert (attested["value"], attested["unit"]) == (120_000.0, "m2")
    with pytest.raises(FaultyData, match="C9999"):
        plant.instruments.retire(claim="C9999", reason="none")
    with pytest.raises(FaultyData):  # every reason why not
        plant.instruments.declare(standard="iso_14068_1_2023", period="2025")
    package = tmp_path / "package.zip"
    package.write_bytes(plant.assurance.package(period="2025-01"))
    assert plant.assurance.verify_package(file=package)["clean"] is True
    taken = plant.energy.override(on=True, reason="test")
    assert [one["reason"] for one in taken["standing"]] == ["test"]
    assert plant.energy.override(on=False, reason="over")["standing"] == []
