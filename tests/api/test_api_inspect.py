"""Parts sent over HTTP: judged, booked once, labelled, queued; bounded and only by those who may."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segno
from fastapi.testclient import TestClient
from PIL import Image
from tests.api.conftest import Someone
from tests.runs.inspect_panels import give_model
from tests.runs.test_runs_inspect import panel


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return images of panels that the model has not seen."""
    root = tmp_path_factory.mktemp("panels")
    for number in range(8):
        panel(root / "new", number + 100, "pit")
        panel(root / "new", number + 100)
    return root


@pytest.fixture
def inspector(someone: Callable[..., Someone], root: Path) -> Someone:
    """Return an inspector at a site that has a model of panels."""
    give_model(root / "east")
    return someone("inspector")


def send(person: Someone, path: str, files: dict[str, bytes], **words: str) -> Any:
    """Send a form; return the response."""
    parts = {name: (f"{name}.png", content, "image/png") for name, content in files.items()}
    return person.client.post(path, data=words, files=parts, headers={"X-CSRF-Token": person.csrf})


def test_a_part_is_judged_labelled_and_shown(inspector: Someone, learned: Path) -> None:
    image = (learned / "new" / "pit100.png").read_bytes()
    answer = send(inspector, "/v1/inspect/parts", {"image": image}, part_code="BX-1", shop="paint")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["model"]["rejected"] is True
    assert told["model"]["likeliest"] == "pit"
    assert send(inspector, "/v1/inspect/parts", {"image": image}, part_code="BX-1", shop="paint").json()["repeated"]
    (wanted,) = inspector.get("/v1/inspect/queue")["items"]
    assert (wanted["why"], wanted["part_code"]) == ("unsure", "BX-1")
    said = {"part": told["image_sha256"], "disposition": "scrap", "defect": "pit", "cause": "material"}
    assert inspector.post("/v1/inspect/labels", said).json()["corrects"] == told["defect_id"]
    assert inspector.get("/v1/inspect/queue")["items"] == []
    assert [row["decided_by"] for row in inspector.get("/v1/inspect/defects")["items"]] == ["inspector"]
    assert inspector.get("/v1/inspect/defects", every=True)["total"] == 2
    assert inspector.get("/v1/inspect/audit")["items"][0]["rejected"] == 1
    shown = inspector.client.get(f"/v1/inspect/images/{told['image_sha256']}")
    assert (shown.content, shown.headers["content-type"]) == (image, "image/png")
    small = inspector.client.get(f"/v1/inspect/images/{told['image_sha256']}?side=48")
    assert Image.open(io.BytesIO(small.content)).size == (48, 48)
    heat = inspector.client.get(f"/v1/inspect/images/{told['image_sha256']}/heat?model=panels&version=1")
    pixels = np.asarray(Image.open(io.BytesIO(heat.content))).astype(int)
    row, column = np.unravel_index(int((pixels[:, :, 0] - pixels[:, :, 2]).argmax()), pixels.shape[:2])
    at = 16 + 100 * 13 % 56 + 8  # where the panel was pitted
    assert max(abs(row - at), abs(column - at)) < 20
    fine = (learned / "new" / "ok105.png").read_bytes()
    other = send(inspector, "/v1/inspect/parts", {"image": fine}, part_code="BX-9", shop="paint").json()
    cool = inspector.client.get(f"/v1/inspect/images/{other['image_sha256']}/heat?model=panels&version=1")
    calm = np.asarray(Image.open(io.BytesIO(cool.content))).astype(int)
    assert (calm[:, :, 0] - calm[:, :, 2]).max() < 0.75 * (pixels[:, :, 0] - pixels[:, :, 2]).max()
    assert inspector.client.get(f"/v1/inspect/images/{'0' * 64}").status_code == 404


def test_a_phone_sends_again_what_was_cut_off(inspector: Someone, learned: Path) -> None:
    image = (learned / "new" / "ok101.png").read_bytes()
    words = {"part_code": "BX-2", "shop": "paint", "disposition": "accept"}
    first = send(inspector, "/v1/inspect/parts", {"image": image}, **words).json()
    again = send(inspector, "/v1/inspect/parts", {"image": image}, **words).json()
    assert (first["agrees"], first["repeated"], again["repeated"]) == (True, False, True)
    assert again["defect_id"] == first["defect_id"]
    assert inspector.get("/v1/inspect/defects", every=True)["total"] == 2


def test_the_code_is_read_from_the_photograph(inspector: Someone) -> None:
    out = io.BytesIO()
    segno.make("BX-77", error="m", micro=False).save(out, kind="png", scale=8, border=6)
    told = send(inspector, "/v1/inspect/codes", {"image": out.getvalue()}).json()
    assert ([one["text"] for one in told["codes"]], told["model"]) == (["BX-77"], None)
    booked = send(inspector, "/v1/inspect/parts", {"code_image": out.getvalue()}, shop="paint", disposition="scrap")
    assert booked.json()["part_code"] == "BX-77"
    blank = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(blank, "PNG")
    refused = send(inspector, "/v1/inspect/parts", {"image": blank.getvalue()}, shop="paint", disposition="scrap")
    assert (refused.status_code, refused.json()["problems"][0]["code"]) == (422, "inspect.no_code")


def test_a_camera_that_has_changed_is_told(inspector: Someone, learned: Path) -> None:
    assert inspector.get("/v1/inspect/camera") == {"drift": None}
    for number in range(8):
        image = Image.open(learned / "new" / f"ok{100 + number}.png").point(lambda value: value * 0.6)
        out = io.BytesIO()
        image.save(out, "PNG")
        answer = send(inspector, "/v1/inspect/parts", {"image": out.getvalue()}, part_code=f"D{number}", shop="paint")
        assert answer.status_code == 200
    drift = inspector.get("/v1/inspect/camera")["drift"]
    assert (drift["raised"], drift["images"]) == (True, 8)


def test_what_is_wrong_or_not_allowed_writes_nothing(
    inspector: Someone, someone: Callable[..., Someone], learned: Path
) -> None:
    image = (learned / "new" / "ok100.png").read_bytes()
    viewer = someone("viewer")
    assert send(viewer, "/v1/inspect/parts", {"image": image}, part_code="A").status_code == 403
    assert viewer.post("/v1/inspect/labels", {"part": "abcdef", "disposition": "accept"}).status_code == 403
    assert send(replace(inspector, csrf="no"), "/v1/inspect/parts", {"image": image}, part_code="A").status_code == 403
    assert inspector.post("/v1/reversals", {"document": "x", "reason": "y"}).status_code == 403
    assert (
        send(inspector, "/v1/inspect/parts", {"image": b"MZ no image"}, part_code="A", shop="paint").status_code == 422
    )
    assert send(inspector, "/v1/inspect/parts", {"image": b"x" * 1_500_000}, part_code="A").status_code == 413
    assert send(inspector, "/v1/inspect/parts", {"image": image}, part_code="A", shop="moon").status_code in (404, 422)
    assert inspector.get("/v1/inspect/defects", every=True)["total"] == 0


def test_the_opinion_of_the_model_may_be_kept_from_the_inspector(
    inspector: Someone, root: Path, learned: Path, app_client: Callable[[], TestClient]
) -> None:
    image = (learned / "new" / "pit103.png").read_bytes()
    (root / "east" / "inspect.toml").write_text('[inspection]\nopinion = "before"\n', encoding="utf-8")
    assert send(inspector, "/v1/inspect/codes", {"image": image}).json()["model"]["rejected"] is True
    frame = send(inspector, "/v1/inspect/codes", {"image": image}, codes_only="true").json()
    assert frame == {"codes": [], "model": None}  # of the frames of a live picture no model is asked
    (root / "east" / "inspect.toml").write_text('[inspection]\nopinion = "never"\n', encoding="utf-8")
    told = send(
        inspector, "/v1/inspect/parts", {"image": image}, part_code="N", shop="paint", disposition="accept"
    ).json()
    assert (told["model"], told["agrees"]) == (None, None)
