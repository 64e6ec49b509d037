"""What the OpenAPI description says beside the routes: how a fault looks, and what an answer holds."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from zerofactory.api.faults import MEDIA_TYPE, PACT_CODES, TITLES

TEXT = {"type": "object", "required": ["zh", "en"], "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}}
PROBLEM = {
    "type": "object",
    "required": ["code", "message", "hint", "severity"],
    "properties": {
        "code": {"type": "string"}, "message": TEXT, "hint": TEXT, "file": {"type": ["string", "null"]}, "row": {"type": ["integer", "null"]},
        "column": {"type": ["string", "null"]}, "severity": {"enum": ["error", "warning"]},
    },
}  # fmt: skip
DOCUMENT = {  # RFC 9457, with every problem found
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "problems"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
        "instance": {"type": "string"}, "problems": {"type": "array", "items": {"$ref": "#/components/schemas/Problem"}},
    },
}  # fmt: skip
PARTNERS_ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"enum": sorted({"BadRequest", "TokenExpired", "NotImplemented", *PACT_CODES.values()})}, "message": {"type": "string"}},
}  # fmt: skip
FAULTS = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503, 507)
ANY_JSON = {"type": ["object", "array"]}


def describe(app: FastAPI) -> None:
    """Make the application tell every fault and the form of each answer in its description."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas |= {"Problem": PROBLEM, "ProblemDocument": DOCUMENT, "PartnersError": PARTNERS_ERROR}
            for path, verbs in document["paths"].items():
                for verb, told in verbs.items():
                    _complete(path, verb, told["responses"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(path: str, verb: str, answers: dict[str, Any]) -> None:
    for_partners = path.startswith("/3/")
    form = "PartnersError" if for_partners else "ProblemDocument"
    media = "application/json" if for_partners else MEDIA_TYPE
    for status in FAULTS:
        answer = answers.get(str(status))
        if answer is None or "HTTPValidationError" in str(answer):
            answer = answers[str(status)] = {"description": f"{TITLES[status].zh} / {TITLES[status].en}"}
        answer.setdefault("content", {}).setdefault(media, {"schema": {"$ref": f"#/components/schemas/{form}"}})
    if verb == "get" and not for_partners:
        answers.setdefault("304", {"description": "没有变化 / not modified"})
    for code, answer in answers.items():
        content = answer.get("content", {})
        if code.startswith("2") and content.get("application/json", {}).get("schema") == {}:
            if len(content) > 1:  # a document or a stream, never JSON
                del content["application/json"]
            else:
                content["application/json"]["schema"] = ANY_JSON
