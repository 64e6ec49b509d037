"""PACT 3.0 as the public conformance suite asks: token, list, pages, filters, one footprint, events, and refusals."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.api.conftest import Someone

from zerofactory.runs import published

GTIN, COMPANY, CLASS = (
    "urn:gtin:1234567890123",
    "urn:uuid:abc12345-6789-4def-0123-456789abcdef",
    "urn:eclass:0173-1#01-AAA123#005",
)


def footprint(number: int, **other: Any) -> dict[str, Any]:
    """Return the keys of a footprint that filters look at."""
    return {
        "id": f"00000000-0000-5000-8000-00000000000{number}", "productIds": [f"{GTIN[:-1]}{number}"], "companyIds": [COMPANY],
        "productClassifications": [CLASS], "status": "Active", "validityPeriodStart": "2023-01-15T10:15:30Z",
        "validityPeriodEnd": "2025-12-31T00:00:00Z", "pcf": {"geographyCountry": "DE", "referencePeriodEnd": "2022-12-31T00:00:00Z"}, **other,
    }  # fmt: skip


@pytest.fixture
def partner(
    someone: Callable[..., Someone], app_client: Callable[[], TestClient], monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    """Return a customer's program that has its bearer token, and four footprints on offer."""
    monkeypatch.setattr(published, "offered", lambda _context: [footprint(n) for n in range(4)])
    made = someone("viewer").post("/v1/tokens", {"name": "customer", "scopes": ["read"], "site": "east"}).json()  # type: ignore[attr-defined]
    client = app_client()
    pair = base64.b64encode(f"{made['token_id']}:{made['token']}".encode()).decode()
    given = client.post(
        "/auth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {pair}"}
    )
    assert given.status_code == 200, given.text
    assert (given.json()["token_type"], given.json()["expires_in"]) == ("Bearer", 3600)
    client.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
    return client


def test_wrong_credentials_get_no_token(app_client: Callable[[], TestClient]) -> None:
    wrong = base64.b64encode(b"id:guess").decode()
    for headers in ({"Authorization": f"Basic {wrong}"}, {"Authorization": "Basic ///"}, {}):
        answer = app_client().post("/auth/token", data={"grant_type": "client_credentials"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_pages_follow_absolute_links_to_the_end(partner: TestClient) -> None:
    answer, seen = partner.get("/3/footprints", params={"limit": 3}), []
    while True:
        seen += [one["id"] for one in answer.json()["data"]]
        if "link" not in answer.headers:
            break
        link = answer.headers["link"].split(">")[0].lstrip("<")
        assert link.startswith("http://testserver/3/footprints?")
        answer = partner.get(link)
    assert len(seen) == len(set(seen)) == 4


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"productId": f"{GTIN[:-1]}2".upper()}, 1), ({"companyId": COMPANY}, 4), ({"geography": "de"}, 4), ({"classification": CLASS}, 4),
        ({"validOn": "2023-01-15T10:15:30Z"}, 4), ({"validAfter": "2023-01-14T10:15:30Z"}, 4), ({"validBefore": "2026-01-01T00:00:00Z"}, 4),
        ({"status": "active"}, 4), ({"status": "Active", "productId": f"{GTIN[:-1]}1"}, 1),
        ({"companyId": [COMPANY, "urn:uuid:other", "urn:uuid:another"]}, 4),
        ({"productId": "urn:bogus:product:1"}, 0), ({"companyId": "urn:bogus:company:4"}, 0), ({"geography": "XX"}, 0),
        ({"classification": "urn:bogus:classification:7"}, 0), ({"validOn": "1900-01-01T00:00:00Z"}, 0), ({"validAfter": "2099-12-31T23:59:59Z"}, 0),
        ({"validBefore": "1900-01-01T00:00:00Z"}, 0), ({"status": "BogusStatusValue"}, 0),
        ({"companyId": "urn:bogus:company:5", "productId": f"{GTIN[:-1]}1"}, 0), ({"productId": [f"{GTIN[:-1]}1", f"{GTIN[:-1]}3"]}, 2),
    ],
)  # fmt: skip
def test_filters_are_or_within_and_and_between(partner: TestClient, query: dict[str, Any], count: int) -> None:
    answer = partner.get("/3/footprints", params=query)
    assert answer.status_code == 200
    assert len(answer.json()["data"]) == count


@pytest.mark.parametrize(
    "query",
    [{"$filter": "created ge '2023-01-15T10:15:30Z'"}, {"validOn": "yesterday"}, {"limit": "many"}, {"limit": "-1"}],
)
def test_wrong_queries_are_refused(partner: TestClient, query: dict[str, str]) -> None:
    answer = partner.get("/3/footprints", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")


def test_one_footprint_and_none(partner: TestClient) -> None:
    wanted = footprint(2)
    assert partner.get(f"/3/footprints/{wanted['id']}").json() == {"data": wanted}
    missing = partner.get("/3/footprints/non-existent-id")
    assert (missing.status_code, missing.json()["code"]) == (404, "NotFound")
    partner.headers["Authorization"] = "Bearer guess"
    assert partner.get(f"/3/footprints/{wanted['id']}").status_code == 401
    assert partner.get("/3/footprints").status_code == 401


def test_events_are_checked(partner: TestClient) -> None:
    event = {
        "type": "org.wbcsd.pact.ProductFootprint.RequestCreatedEvent.3",
        "specversion": "1.0",
        "id": "e-1",
        "source": "//customer.example/3/events",
        "data": {"productId": [GTIN]},
    }
    headers = {"Content-Type": "application/cloudevents+json"}
    assert partner.post("/3/events", json=event, headers=headers).status_code == 200
    for broken in (
        {**event, "type": "x"},
        {**event, "data": "x"},
        {**event, "specversion": "0.3"},
        {"type": event["type"]},
    ):
        assert partner.post("/3/events", json=broken, headers=headers).status_code == 400
    partner.headers["Authorization"] = "Bearer guess"
    assert partner.post("/3/events", json=event, headers=headers).status_code == 401


def test_validity_follows_the_reference_period_when_not_said() -> None:
    bare = footprint(1)
    del bare["validityPeriodStart"], bare["validityPeriodEnd"]
    start, end = published.validity(bare)
    assert (start.isoformat(), end.isoformat()) == ("2022-12-31T00:00:00+00:00", "2025-12-31T00:00:00+00:00")
