"""The plant read over HTTP by foreign AAS clients, and what the server refuses them."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import shellsmith
import shellsmith.auth as shellsmith_auth
import uvicorn
from aas_test_engines import api as engine
from aas_test_engines import config as engine_config
from aas_test_engines.http import HttpClient
from aas_test_engines.result import AasTestResult
from aas_test_engines.result import Level as Grade
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp
from tests.runs import plant_with_shells

from zerofactory.api.aas import ROOT, app
from zerofactory.api.aas_operations import PROFILES, Asked, answer, encoded
from zerofactory.api.app import Settings, create
from zerofactory.periods import Period
from zerofactory.runs import aas, access, readings
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore
from zerofactory.store.workspace import Workspace


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant_with_shells.build(tmp_path_factory.mktemp("served") / "plant")


def serving(application: ASGIApp) -> Iterator[str]:
    """Serve an application on this machine while the generator is held; yield its address."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def address(plant: Path) -> Iterator[str]:
    for place in serving(app(lambda: plant_with_shells.context(plant))):
        yield f"{place}{ROOT}"


def test_a_foreign_client_walks_from_the_plant_to_a_machine(address: str, plant: Path) -> None:
    with shellsmith.Client(host=address) as client:
        shells = {one["assetInformation"]["globalAssetId"]: one for one in client.get_shells()["result"]}
        here = next(one for one in shells.values() if one["assetInformation"]["assetType"].endswith("/plant/1/0"))
        walked = [here["idShort"]]
        for kind in ("shop", "line", "station"):
            ids = [ref["keys"][0]["value"] for ref in client.get_submodel_refs(here["id"])["result"]]
            structure = next(one for one in ids if one.endswith("/structure"))
            tree = client.get_submodel_value(structure)["EntryNode"]["statements"]
            below = [one["globalAssetId"] for name, one in tree.items() if name.startswith(f"{kind}_")]
            here = client.get_shell(shells[below[0]]["id"])
            walked.append(here["idShort"])
        assert walked == ["plant_small", "shop_paint", "line_booth_1", "station_booth_1"]
        energy = next(ref["keys"][0]["value"] for ref in here["submodels"] if ref["keys"][0]["value"].endswith("energy"))  # fmt: skip
        total = client.get_submodel_element_value(energy, "Carriers.natural_gas.Total")
        months = client.get_submodel_element(energy, "Carriers.natural_gas.Months[0].Label")
        assert client.get_submodel_metadata(energy)["idShort"] == "EnergyConsumption"
    rows = readings.totals(plant_with_shells.context(plant), Period.parse("2025-01"), "month").rows
    assert total == rows.filter(rows["meter_id"] == "G1")["amount"].item()
    assert months["value"] == "2025-01"


def worst(result: AasTestResult) -> list[str]:
    """Return what a check says is wrong, the innermost first said."""
    below = [line for one in result.sub_results for line in worst(one)]
    return below or ([str(result.message)] if result.level.value >= Grade.ERROR.value else [])


@pytest.mark.parametrize("profile", PROFILES)
def test_the_conformance_suite_finds_nothing_wrong(address: str, profile: str) -> None:
    result, counts = engine.execute_tests(HttpClient(address), engine_config.CheckApiConfig(suite=profile))
    assert worst(result) == []
    assert counts.valid_rejected == counts.invalid_accepted == 0
    assert counts.valid_accepted > 70
    assert counts.invalid_rejected > 30


def test_the_conformance_suite_on_many_kinds_of_elements(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite looks at one submodel alone: here the one with most kinds, for what lists and groups do not show."""
    found = aas.shells(plant_with_shells.context(plant))
    order = sorted(found.environment.submodels, key=lambda one: one["idShort"] != "SimulationModels")
    turned = replace(found, environment=replace(found.environment, submodels=tuple(order)))
    monkeypatch.setattr("zerofactory.api.aas.aas.shells", lambda _: turned)
    for place in serving(app(lambda: plant_with_shells.context(plant))):
        chosen = engine_config.CheckApiConfig(
            suite=PROFILES[1], filter=engine_config.TestCaseFilter("GetSubmodelElement*:GetFile*")
        )
        result, counts = engine.execute_tests(HttpClient(f"{place}{ROOT}"), chosen)
    # A property's value is a bare string or number (schema PropertyValue of the API); the suite takes objects and lists alone.
    assert set(worst(result)) == {"Expected JSON, got <class 'str'>"}
    assert counts.valid_accepted >= 13


def get(address: str, path: str, **query: Any) -> httpx.Response:
    """Return the answer to a GET."""
    return httpx.get(f"{address}{path}", params=query)


def test_what_cannot_be_answered_is_told_as_a_result(address: str) -> None:
    shell = encoded("urn:zerofactory:small/plant/aas")
    element = encoded("urn:zerofactory:small/plant/submodels/structure")
    cases = [
        (404, f"/shells/{encoded('urn:nobody')}", {}),
        (404, "/shells/dXJu", {}),
        (400, "/shells/plant!", {}),
        (400, "/shells/%C3%A4", {}),
        (404, f"/shells/{shell}/submodels/{encoded('urn:zerofactory:small/shops/paint/submodels/energy')}", {}),
        (404, f"/submodels/{element}/submodel-elements/EntryNode.ghost", {}),
        (404, f"/submodels/{element}/submodel-elements/EntryNode[99999999999]", {}),
        (400, f"/submodels/{element}/submodel-elements/ArcheType/$path", {}),
        (404, f"/submodels/{element}/submodel-elements/ArcheType/attachment", {}),
        (400, f"/submodels/{element}", {"level": "deepest"}),
        (400, "/shells", {"limit": "0"}),
        (400, "/shells", {"limit": "many"}),
        (400, "/shells", {"limit": "--5"}),
        (400, "/shells", {"cursor": encoded("--1")}),
        (400, "/shells", {"cursor": encoded("99999")}),
        (400, "/shells", {"assetIds": "eyJ"}),
        (400, "/submodels", {"semanticId": encoded('{"keys": 3}')}),
        (404, "/nothing/here", {}),
        (404, "/description/more", {}),
    ]
    for status, path, query in cases:
        told = get(address, path, **query)
        assert told.status_code == status, (path, query, told.text)
        message = told.json()["messages"][0]
        assert message["messageType"] == "Error"
        assert message["code"] == str(status)
        assert message["text"]
        assert message["timestamp"].endswith("Z")


def test_nothing_is_written(address: str, plant: Path) -> None:
    shell = encoded("urn:zerofactory:small/plant/aas")
    before = Workspace.open(plant).journal.last()
    for method, path in (("POST", "/shells"), ("PUT", f"/shells/{shell}"), ("DELETE", f"/shells/{shell}"), ("PATCH", "/submodels")):  # fmt: skip
        told = httpx.request(method, f"{address}{path}", json={})
        assert told.status_code == 405
        assert told.headers["allow"] == "GET, HEAD"
        assert "read-only" in told.json()["messages"][0]["text"]
    assert before is not None
    assert Workspace.open(plant).journal.last() == before


def test_a_page_of_another_name_reads_nothing(address: str) -> None:
    for name, status in (("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost:8081", 200), ("[::1]:8081", 200)):  # fmt: skip
        assert httpx.get(f"{address}/description", headers={"Host": name}).status_code == status


def test_pages_follow_each_other_and_end(address: str) -> None:
    names, cursor = [], None
    for _ in range(9):
        told = get(address, "/shells", limit=3, **({"cursor": cursor} if cursor else {})).json()
        names += [one["idShort"] for one in told["result"]]
        cursor = told["paging_metadata"].get("cursor")
        if cursor is None:
            break
    assert len(names) == len(set(names)) == 7


def test_shells_are_found_by_asset_and_submodels_by_meaning(address: str) -> None:
    wanted = encoded(json.dumps({"name": "globalAssetId", "value": "urn:zerofactory:small/stations/oven"}))
    assert get(address, "/lookup/shells", assetIds=wanted).json()["result"] == ["urn:zerofactory:small/stations/oven/aas"]  # fmt: skip
    by_line = encoded(json.dumps({"name": "lineId", "value": "booth-1"}))
    assert [one["idShort"] for one in get(address, "/shells", assetIds=by_line).json()["result"]] == ["line_booth_1"]
    links = get(address, f"/lookup/shells/{encoded('urn:zerofactory:small/lines/booth-1/aas')}").json()
    assert {"name": "lineId", "value": "booth-1"} in links
    meaning = "https://admin-shell.io/idta/nameplate/3/0/Nameplate"
    reference = json.dumps({"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": meaning}]})
    plates = get(address, "/submodels", semanticId=encoded(reference)).json()["result"]
    assert [one["idShort"] for one in plates] == ["Nameplate"] * 5


def test_what_has_not_changed_is_not_sent_again(address: str) -> None:
    first = get(address, "/shells", limit=2)
    again = httpx.get(f"{address}/shells", params={"limit": 2}, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = httpx.get(f"{address}/shells", params={"limit": 3}, headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_files_packages_and_concepts_are_served(address: str, plant: Path) -> None:
    model = encoded("urn:zerofactory:small/plant/submodels/simulation")
    path = "SimulationModel.ModelFile.ModelFileVersion.DigitalFile"
    got = get(address, f"/submodels/{model}/submodel-elements/{path}/attachment")
    assert got.content == (plant / "twin.toml").read_bytes()
    package = httpx.get(f"{address}/serialization", headers={"Accept": "application/asset-administration-shell-package+json"})  # fmt: skip
    assert package.content == aas.content(plant_with_shells.context(plant), ".aasx")
    concepts = get(address, "/concept-descriptions").json()["result"]
    unit = next(one for one in concepts if one["idShort"] == "Electricity_kWh")
    assert get(address, f"/concept-descriptions/{encoded(unit['id'])}").json() == unit
    content = unit["embeddedDataSpecifications"][0]["dataSpecificationContent"]
    assert content["unitId"]["keys"][0]["value"] == "http://qudt.org/vocab/unit/KiloW-HR"
    assert {one["language"] for one in content["preferredName"]} == {"zh", "en"}


def test_a_path_given_back_leads_to_its_element(plant: Path) -> None:
    found = aas.shells(plant_with_shells.context(plant)).environment
    for one in found.submodels:
        base = ("submodels", encoded(one["id"]))
        paths = json.loads(answer(found, Asked((*base, "$path"), {}), clock()).body)
        for path in paths[::7]:
            assert answer(found, Asked((*base, "submodel-elements", path), {}), clock()).status == 200
            keys = json.loads(answer(found, Asked((*base, "submodel-elements", path, "$reference"), {}), clock()).body)["keys"]  # fmt: skip
            assert len(keys) == 2 + path.count(".") + path.count("[")


@pytest.fixture
def main_server(plant: Path) -> Iterator[tuple[TestClient, Callable[[str], dict[str, str]]]]:
    """Return a browser at the main server and a function that gives a token of a role."""
    store = AccessStore.in_folder(plant)

    def token(role: str) -> dict[str, str]:
        user = store.add_user(f"{role}-{time.monotonic_ns()}", role, "", at=stamp(clock()))
        store.grant(user.user_id, ANY_SITE, role)
        asked = access.TokenAsked("test", ("read",))
        secret, _ = access.new_token(store, access.Person(user, {ANY_SITE: role}), asked, clock())
        return {"Authorization": f"Bearer {secret}"}

    yield TestClient(create(plant, Settings()), raise_server_exceptions=False), token
    for path in plant.glob("access.*"):
        path.unlink()


def test_the_main_server_asks_who_reads(main_server: tuple[TestClient, Callable[[str], dict[str, str]]]) -> None:
    client, token = main_server
    refused = client.get(f"{ROOT}/shells")
    assert refused.status_code == 401
    assert refused.json()["messages"][0]["messageType"] == "Error"
    headers = token("viewer")
    mine = client.get(f"{ROOT}/shells", headers=headers).json()["result"]
    named = client.get("/aas/plant/api/v3.0/shells", headers=headers).json()["result"]
    assert [one["idShort"] for one in mine][:1] == ["plant_small"]
    assert mine == named
    assert client.get("/aas/other/api/v3.0/shells", headers=headers).status_code == 404
    assert client.get(f"{ROOT}/description", headers=headers).json() == {"profiles": list(PROFILES)}
    assert client.post(f"{ROOT}/shells", headers=headers, json={}).status_code == 405
    listed = client.get("/v1/aas", headers=headers).json()
    assert [one["id_short"] for one in listed["shells"]] == [one["idShort"] for one in mine]
    package = client.get("/v1/aas/export", headers=headers, params={"form": "aasx", "shell": "line/booth-1"})
    assert package.content[:2] == b"PK"
    assert client.get("/v1/aas/export", headers=headers, params={"shell": "x"}).status_code == 404


def test_a_foreign_client_logs_in_at_the_main_server(plant: Path) -> None:
    store = AccessStore.in_folder(plant)
    user = store.add_user("reader", "reader", "", at=stamp(clock()))
    store.grant(user.user_id, ANY_SITE, "viewer")
    asked = access.TokenAsked("reader", ("read",))
    secret, held = access.new_token(store, access.Person(user, {ANY_SITE: "viewer"}), asked, clock())
    for place in serving(create(plant, Settings())):
        known = shellsmith_auth.ClientAuthentication(held.token_id, secret)
        provider = shellsmith_auth.ClientCredentialsTokenProvider(f"{place}/auth/token", known)
        with shellsmith.Client(host=f"{place}{ROOT}", auth=shellsmith_auth.Auth(provider)) as client:
            assert client.get_shells()["result"][0]["idShort"] == "plant_small"
        with pytest.raises(httpx.HTTPStatusError), shellsmith.Client(host=f"{place}{ROOT}") as client:
            client.get_shells()
        wrong = shellsmith_auth.ClientAuthentication(held.token_id, "guess")
        with pytest.raises(httpx.HTTPStatusError):
            shellsmith_auth.ClientCredentialsTokenProvider(f"{place}/auth/token", wrong).sync_get_token()
    for path in plant.glob("access.*"):
        path.unlink()


def test_it_answers_wherever_it_is_mounted(plant: Path) -> None:
    inner = app(lambda: plant_with_shells.context(plant))
    for prefix, rest in (("/aas", "/api/v3.0"), ("/aas/api/v3.0", ""), ("/plant", ROOT)):
        client = TestClient(Starlette(routes=[Mount(prefix, inner)]), base_url="http://127.0.0.1:8081")
        assert client.get(f"{prefix}{rest}/description").json() == {"profiles": list(PROFILES)}


def test_base64_of_ids_with_and_without_padding(address: str) -> None:
    padded = base64.urlsafe_b64encode(b"urn:zerofactory:small/shops/paint/aas").decode()
    assert padded.endswith("=")
    assert get(address, f"/shells/{padded}").json() == get(address, f"/shells/{padded.rstrip('=')}").json()
