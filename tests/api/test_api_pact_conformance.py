"""The public conformance cases of PACT 3.0, one by one, against a server over TLS with real footprints and a real partner's door.

Numbers are those of ``v3_test_cases_expected_results.md`` of the public conformance service; answers are also held against the
published OpenAPI document where that is at hand.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import uvicorn
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.conftest import NOW, SMALL_PLANT, readings_of

from zerofactory.api.app import Settings, create
from zerofactory.connectors.web_request import Unanswered, ask
from zerofactory.periods import Period
from zerofactory.runs import access, close, import_data, partners, published
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.runs.sites import Server
from zerofactory.store import outbox
from zerofactory.store.access import AccessStore
from zerofactory.store.workspace import Workspace

DATA = Path(os.environ.get("ZF_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
OPENAPI = DATA / "interop" / "pact" / "openapi_v3_0.yaml"
GTIN = "urn:gtin:1234567890123"
CLASS = "urn:eclass:0173-1#01-AAA123#005"
TYPE = "org.wbcsd.pact.ProductFootprint.{}.3"
CLOUD = {"Content-Type": "application/cloudevents+json; charset=UTF-8"}
PRODUCT = '\n[[products]]\nid = "{0}"\nname = {{ zh = "{0}", en = "{0}" }}\nunit = "piece"\n'
PROFILE = """
product = "{0}"
description = "test"
mass_kg = 2.0
fossil_carbon_kg = 0.1
product_ids = ["{1}"]
company_ids = ["urn:uuid:abc12345-6789-4def-0123-456789abcdef"]
classifications = ["{2}"]
[time_quota_min]
paint = 1.0
"""
BOM = "零部件,上级,数量,单位,供应商碳足迹,材料,再生材料,再生比例,取舍,备注\nsteel,,2,kg,,steel_eaf,,,,\n"
PARTNER = """
[[partners]]
id = "customer"
title = "客户"
login = "customer-program"
site = "*"
address = "{address}"
client_id = "us-at-the-customer"
client_secret_env = "ZF_TEST_PARTNER"
told_of_new = true
"""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plant with a whole closed year and three products, one of them undeclarable."""
    folder = tmp_path_factory.mktemp("pact") / "plant"
    folder.mkdir()
    text = SMALL_PLANT + "".join(PRODUCT.format(name) for name in ("cell", "pack", "odd"))
    (folder / "factory.toml").write_text(text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    place = folder / "products"
    place.mkdir()
    for name, urn in (("cell", GTIN), ("pack", "urn:gtin:1234567890456"), ("odd", "urn:gtin:1234567890789")):
        (place / f"{name}.toml").write_text(PROFILE.format(name, urn, CLASS), encoding="utf-8")
        (place / f"{name}.csv").write_text(BOM, encoding="utf-8")
    readings_of(tuple(range(1, 13))).write_parquet(folder.parent / "readings.parquet")
    form = folder.parent / "output.csv"
    lines = [f"vehicles,2025-{m:02}-01,2025-{m:02}-28,1000,piece,{name},,P-{m}-{name}," for m in range(1, 13) for name in ("cell", "pack")]  # fmt: skip
    fuel = [f"diesel,2025-{m:02}-01,2025-{m:02}-28,1,t,,结算,D-{m}," for m in range(1, 13)]
    form.write_text(
        "排放源,开始日期,结束日期,数量,单位,品种,数据来源,凭证号,备注\n" + "\n".join(lines + fuel) + "\n",
        encoding="utf-8",
    )
    import_data.run(Context(Workspace.open(folder), NOW, "test"), [folder.parent / "readings.parquet", form])
    close.run(Context(Workspace.open(folder), NOW, "test"), Period.parse("2025"), known_at=date(2026, 1, 15))
    return folder


@dataclass
class Door:
    """The partner's own door: what it took, and how it answers."""

    address: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    token: str = "theirs-1"  # noqa: S105  (of the tests alone)


@contextmanager
def answering(door: Door) -> Iterator[Door]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            door.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            pair = base64.b64encode(b"us-at-the-customer:our secret there").decode()
            told: dict[str, Any] = {}
            if self.path == "/auth/token":
                known = self.headers["Authorization"] == f"Basic {pair}" and body == b"grant_type=client_credentials"
                status = 200 if known else 401
                told = {"access_token": door.token, "token_type": "Bearer", "expires_in": 3600} if known else {}
            elif self.headers["Authorization"] != f"Bearer {door.token}":
                status = 401
            else:
                status = door.statuses.pop(0) if door.statuses else 200
                if status == 200:
                    assert self.headers["Content-Type"].startswith("application/cloudevents+json")
                    door.taken.append(json.loads(body))
            answer = json.dumps(told).encode()
            self.send_response(status)
            if status == 307:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    door.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@dataclass(frozen=True)
class Exchange:
    """A server over TLS, the partner's program with its credentials, and the partner's door."""

    client: httpx.Client
    pair: str
    server: Server
    door: Door

    def courier(self) -> partners.Courier:
        return partners.Courier(self.server)

    def event(self, kind: str, data: Any, event_id: str = "test-run-id-12345") -> httpx.Response:
        """Send an event as the conformance service does."""
        body = {"specversion": "1.0", "id": event_id, "source": "https://webhook.example.com", "time": "2023-05-19T10:30:00Z", "type": TYPE.format(kind), "data": data}  # fmt: skip
        return self.client.post("/3/events", content=json.dumps(body).encode(), headers=CLOUD)


@pytest.fixture(scope="module")
def exchange(plant: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    folder = tmp_path_factory.mktemp("tls")
    cert_file, key_file = certificate(folder)
    with answering(Door()) as door, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZF_TEST_PARTNER", "our secret there")
        (plant / "access.toml").write_text(PARTNER.format(address=door.address), encoding="utf-8")
        store = AccessStore.in_folder(plant)
        user = store.add_user("customer-program", "customer", "", at=stamp(clock()))
        store.grant(user.user_id, "*", "viewer")
        person = access.Person(user, {"*": "viewer"})
        secret, token = access.new_token(store, person, access.TokenAsked("customer", ("read",)), clock())
        app = create(plant, Settings(secure=True))
        running = uvicorn.Server(
            uvicorn.Config(app, port=0, log_level="error", ssl_certfile=str(cert_file), ssl_keyfile=str(key_file))
        )
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.01)
        port = running.servers[0].sockets[0].getsockname()[1]
        pair = base64.b64encode(f"{token.token_id}:{secret}".encode()).decode()
        with httpx.Client(
            base_url=f"https://127.0.0.1:{port}", verify=ssl.create_default_context(cafile=str(cert_file)), timeout=60
        ) as client:
            given = client.post(
                "/auth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {pair}"}
            )
            assert given.status_code == 200, given.text  # case 1
            assert (given.json()["token_type"], given.json()["expires_in"]) == ("Bearer", 3600)
            client.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
            yield Exchange(client, pair, app.state.server, door)
        running.should_exit = True
        thread.join(20)


def valid(name: str, value: Any) -> None:
    """Hold a value against a form of the published document, where that is at hand."""
    if OPENAPI.is_file():
        document = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema_rs.validate(schema, value)


def offered(exchange: Exchange) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = exchange.client.get("/3/footprints").json()["data"]
    return found


def test_2_and_19_wrong_credentials(exchange: Exchange) -> None:
    wrong = base64.b64encode(b"id:guess").decode()
    answer = exchange.client.post(
        "/auth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {wrong}"}
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_3_4_and_8_one_all_and_none(exchange: Exchange) -> None:
    found = offered(exchange)
    assert {one["productIds"][0] for one in found} == {GTIN, "urn:gtin:1234567890456"}
    for one in found:
        valid("ProductFootprint", one)
        assert exchange.client.get(f"/3/footprints/{one['id']}").json() == {"data": one}
    missing = exchange.client.get("/3/footprints/non-existent-id")
    assert missing.status_code == 404
    valid("Error", missing.json())


def test_5_pages(exchange: Exchange) -> None:
    first = exchange.client.get("/3/footprints", params={"limit": 1})
    link = first.headers["link"]
    assert link.startswith(f"<{exchange.client.base_url}/3/footprints?")
    assert link.endswith('rel="next"')
    second = exchange.client.get(link.split(">")[0].lstrip("<"))
    assert "link" not in second.headers
    ids = [one["id"] for answer in (first, second) for one in answer.json()["data"]]
    assert ids == [one["id"] for one in offered(exchange)]
    assert exchange.client.get("/3/footprints", params={"offset": 2}).json() == {"data": []}


def test_6_7_and_16_wrong_tokens(exchange: Exchange) -> None:
    wrong = {"Authorization": "Bearer invalid-access-token"}
    pcf = offered(exchange)[0]["id"]
    for answer in (
        exchange.client.get("/3/footprints", headers=wrong),
        exchange.client.get(f"/3/footprints/{pcf}", headers=wrong),
        exchange.client.post("/3/events", content=b"{}", headers={**CLOUD, **wrong}),
    ):
        assert answer.status_code == 401
        valid("Error", answer.json())


def test_9_10_11_and_17_plain_http(exchange: Exchange) -> None:
    plain = str(exchange.client.base_url).replace("https", "http")
    with httpx.Client(headers=exchange.client.headers) as client:
        for verb, path in (
            ("POST", "/auth/token"),
            ("GET", "/3/footprints"),
            ("GET", "/3/footprints/x"),
            ("POST", "/3/events"),
        ):
            with pytest.raises(httpx.HTTPError):
                client.request(verb, plain + path)
    behind = exchange.client.get(
        "/3/footprints", headers={"X-Forwarded-Proto": "http"}
    )  # a proxy that took it in the open
    assert behind.status_code == 403
    assert "data" not in behind.json()


def test_12_and_13_a_request_is_fulfilled(exchange: Exchange) -> None:
    answer = exchange.event(
        "RequestCreatedEvent", {"productId": [GTIN], "comment": "Please send PCF data for this year."}, "req-12"
    )
    assert (answer.status_code, answer.content) == (200, b"")
    assert (
        exchange.event("RequestCreatedEvent", {"productId": [GTIN]}, "req-12").status_code == 200
    )  # sent twice, answered once
    exchange.courier().round(clock())
    exchange.courier().round(clock())
    replies = [one for one in exchange.door.taken if one["data"].get("requestEventId") == "req-12"]
    assert len(replies) == 1
    valid("RequestFulfilledEvent", replies[0])
    assert replies[0]["type"] == TYPE.format("RequestFulfilledEvent")
    assert [one["productIds"] for one in replies[0]["data"]["pfs"]] == [[GTIN]]
    valid("ProductFootprint", replies[0]["data"]["pfs"][0])


def test_14_a_request_for_what_there_is_not_is_rejected(exchange: Exchange) -> None:
    assert exchange.event("RequestCreatedEvent", {"productId": ["urn:null"]}, "req-14").status_code == 200
    exchange.courier().round(clock())
    reply = next(one for one in exchange.door.taken if one["data"].get("requestEventId") == "req-14")
    valid("RequestRejectedEvent", reply)
    assert (reply["type"], reply["data"]["error"]["code"]) == (TYPE.format("RequestRejectedEvent"), "NotFound")


def test_15_an_announcement_is_taken(exchange: Exchange) -> None:
    assert exchange.event("PublishedEvent", {"pfIds": ["urn:gtin:4712345060507"]}, "pub-15").status_code == 200
    assert (
        exchange.event("RequestFulfilledEvent", {"requestEventId": "r", "pfs": offered(exchange)}, "ful-15").status_code
        == 200
    )
    rejected = {"requestEventId": "r", "error": {"code": "NotFound", "message": "none"}}
    assert exchange.event("RequestRejectedEvent", rejected, "rej-15").status_code == 200


def test_18_the_token_endpoint_is_described(exchange: Exchange) -> None:
    told = httpx.get(
        f"{exchange.client.base_url}/.well-known/openid-configuration",
        verify=exchange.client._transport._pool._ssl_context,
    ).json()  # type: ignore[attr-defined]
    answer = exchange.client.post(
        told["token_endpoint"],
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {exchange.pair}"},
    )
    assert answer.status_code == 200


COMPANY = "urn:uuid:abc12345-6789-4def-0123-456789abcdef"
FILTERS: dict[str, tuple[dict[str, Any], int]] = {
    "20": ({"productId": GTIN}, 1), "21": ({"companyId": COMPANY}, 2), "22": ({"geography": "own"}, 2), "23": ({"classification": CLASS}, 2),
    "24": ({"validOn": "2026-01-15T10:15:30Z"}, 2), "25": ({"validAfter": "2023-01-14T10:15:30Z"}, 2), "26": ({"validBefore": "2030-01-01T00:00:00Z"}, 2),
    "27": ({"status": "Active"}, 2), "28": ({"status": "Active", "productId": GTIN}, 1),
    "29": ({"companyId": [COMPANY, "urn:uuid:other-company", "urn:uuid:another-company"]}, 2),
    "30": ({"productId": "urn:bogus:product:nonexistent123"}, 0), "31": ({"companyId": "urn:bogus:company:nonexistent456"}, 0), "32": ({"geography": "XX"}, 0),
    "33": ({"classification": "urn:bogus:classification:nonexistent789"}, 0), "34": ({"validOn": "1900-01-01T00:00:00Z"}, 0),
    "35": ({"validAfter": "2099-12-31T23:59:59Z"}, 0), "36": ({"validBefore": "1900-01-01T00:00:00Z"}, 0), "37": ({"status": "BogusStatusValue"}, 0),
    "38": ({"companyId": "urn:bogus:company:5FIi8zS3", "productId": "urn:bogus:product:nonexistent123"}, 0),
    "39": ({"companyId": [f"urn:bogus:company:nonexistent{n}" for n in (1, 2, 3)]}, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", FILTERS)
def test_20_to_39_filters(exchange: Exchange, case: str) -> None:
    query, count = FILTERS[case]
    if query.get("geography") == "own":
        pcf = offered(exchange)[0]["pcf"]
        query = {"geography": next(pcf[name] for name in pcf if name.startswith("geography"))}
    answer = exchange.client.get("/3/footprints", params=query)
    assert answer.status_code == 200
    assert len(answer.json()["data"]) == count
    asked = {
        name: value if isinstance(value, list) or name.startswith("valid") else [value] for name, value in query.items()
    }
    event = {
        "type": TYPE.format("RequestCreatedEvent"),
        "specversion": "1.0",
        "id": "x",
        "source": "//x",
        "data": asked,
    }
    assert partners.faults_of(event) == []  # the same criteria hold in an event
    assert len([one for one in offered(exchange) if published.matches(one, partners._wanted(asked))]) == count


def test_40_a_malformed_request(exchange: Exchange) -> None:
    answer = exchange.client.get("/3/footprints", params={"$filter": "created ge '2023-01-15T10:15:30Z'"})
    assert answer.status_code == 400
    valid("Error", answer.json())


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("RequestCreatedEvent", {"productId": "no list"}), ("RequestCreatedEvent", {"validOn": "yesterday"}), ("RequestCreatedEvent", {"zebra": ["x"]}),
        ("RequestCreatedEvent", []), ("PublishedEvent", {"pfIds": "x"}), ("PublishedEvent", {}), ("RequestFulfilledEvent", {"requestEventId": "r"}),
        ("RequestRejectedEvent", {"error": {}}), ("AnotherEvent", {"x": 1}), ("RequestCreatedEvent", {"productId": [GTIN], "status": 5}),
    ],
)  # fmt: skip
def test_malformed_events_are_refused(exchange: Exchange, kind: str, data: Any) -> None:
    answer = exchange.event(kind, data, "bad")
    assert answer.status_code in (400, 422), answer.text
    valid("Error", answer.json())


def test_new_footprints_are_announced_once(exchange: Exchange) -> None:
    courier = exchange.courier()
    for _ in range(3):
        courier.round(clock())
    told = [one for one in exchange.door.taken if one["type"] == TYPE.format("PublishedEvent")]
    assert sorted(pf for one in told for pf in one["data"]["pfIds"]) == sorted(one["id"] for one in offered(exchange))
    for one in told:
        valid("PublishedEvent", one)


def test_what_cannot_be_declared_is_said_where_the_offer_is_listed(exchange: Exchange) -> None:
    told = exchange.client.get("/v1/footprints/offered").json()
    assert {one["productIds"][0] for one in told["items"]} == {GTIN, "urn:gtin:1234567890456"}
    assert [(one["product"], one["period"]) for one in told["left_out"]] == [("odd", "2025")]
    assert told["left_out"][0]["problems"][0]["message"]["zh"]


def states(exchange: Exchange, event_id: str) -> list[tuple[str, str, int]]:
    rows = outbox.events(exchange.server.access, "plant", 500)
    return [
        (one.direction, one.state, one.attempts)
        for one in rows
        if event_id in (one.event_id, one.body["data"].get("requestEventId"))
    ]


def test_a_partner_who_is_away_is_tried_again_ever_more_seldom_and_given_up_after_72_hours(exchange: Exchange) -> None:
    now, courier = clock(), exchange.courier()
    exchange.event("RequestCreatedEvent", {"productId": [GTIN]}, "req-away")
    exchange.door.statuses = [503] * 1000
    gaps, last, moment = [], now, now
    while moment - now < timedelta(hours=80):
        before = len(exchange.door.statuses)
        courier.round(moment)
        if len(exchange.door.statuses) < before:
            gaps.append((moment - last).total_seconds())
            last = moment
        moment += timedelta(minutes=10)
    assert gaps[2:] == sorted(gaps[2:])
    assert max(gaps) <= 6.5 * 3600
    assert ("out", "given_up", 0) not in states(exchange, "req-away")
    assert [state for way, state, _ in states(exchange, "req-away") if way == "out"] == ["given_up"]
    exchange.door.statuses = []
    number = next(
        one.number
        for one in outbox.events(exchange.server.access, "plant", 500)
        if one.body["data"].get("requestEventId") == "req-away"
    )
    partners.again(exchange.server.access, number, "plant", clock())
    courier.round(clock())
    assert any(one["data"].get("requestEventId") == "req-away" for one in exchange.door.taken)


def test_a_token_that_ended_is_fetched_anew_and_a_redirect_is_not_followed(exchange: Exchange) -> None:
    courier = exchange.courier()
    exchange.event("RequestCreatedEvent", {"productId": [GTIN]}, "req-a")
    courier.round(clock())
    exchange.door.token = "theirs-2"  # noqa: S105  (of the tests alone)
    exchange.event("RequestCreatedEvent", {"productId": [GTIN]}, "req-b")
    courier.round(clock())
    assert [state for way, state, _ in states(exchange, "req-b") if way == "out"] == ["sent"]
    exchange.door.statuses = [307]
    exchange.event("RequestCreatedEvent", {"productId": [GTIN]}, "req-c")
    courier.round(clock())
    assert [state for way, state, _ in states(exchange, "req-c") if way == "out"] == ["waiting"]


def test_only_the_doors_of_the_directory_are_asked(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noting(method: str, address: str, **more: Any) -> Any:
        asked.append(address)
        return ask(method, address, **more)

    monkeypatch.setattr(partners, "ask", noting)
    body = {"specversion": "1.0", "id": "req-ssrf", "source": "http://169.254.169.254/latest", "type": TYPE.format("RequestCreatedEvent"), "data": {"productId": [GTIN]}, "callback": "http://10.0.0.1/"}  # fmt: skip
    assert exchange.client.post("/3/events", content=json.dumps(body).encode(), headers=CLOUD).status_code == 200
    exchange.courier().round(clock())
    assert asked
    assert {address.removeprefix(exchange.door.address) for address in asked} <= {"/auth/token", "/3/events"}


def test_a_request_of_nobody_in_the_directory_waits_for_its_partner(plant: Path, exchange: Exchange) -> None:
    store = exchange.server.access
    event = {
        "type": TYPE.format("RequestCreatedEvent"),
        "specversion": "1.0",
        "id": "req-nobody",
        "source": "//x",
        "data": {"productId": [GTIN]},
    }
    assert partners.take(store, "somebody-else", "plant", event, clock())
    exchange.courier().round(clock())
    assert states(exchange, "req-nobody") == [("in", "waiting", 1)]
    listed = partners.listed(store, "plant", 5)
    assert "access.toml" in next(one["told"] for one in listed if one["event_id"] == "req-nobody")


def test_the_server_itself_delivers(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(access.policy()["pact"], "look_seconds", 0.05)  # type: ignore[arg-type]
    exchange.event("RequestCreatedEvent", {"productId": [GTIN]}, "req-thread")
    with partners.delivering(exchange.server):
        for _ in range(400):
            if any(one["data"].get("requestEventId") == "req-thread" for one in exchange.door.taken):
                break
            time.sleep(0.05)
    assert any(one["data"].get("requestEventId") == "req-thread" for one in exchange.door.taken)


def test_a_long_answer_and_a_closed_port_are_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unanswered):
        ask("GET", "http://127.0.0.1:9/")
    with pytest.raises(Unanswered):
        ask("GET", "http://carbon.example.cn/")


def test_a_flood_of_requests_has_to_wait(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange.courier().round(clock())
    others = outbox.waiting(exchange.server.access, "plant", "customer-program")
    monkeypatch.setitem(access.policy()["pact"], "waiting", others + 3)  # type: ignore[arg-type]
    answers = [exchange.event("RequestCreatedEvent", {"productId": [GTIN]}, f"flood-{n}") for n in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    valid("Error", answers[-1].json())
    exchange.courier().round(clock())
    assert exchange.event("RequestCreatedEvent", {"productId": [GTIN]}, "flood-9").status_code == 200
