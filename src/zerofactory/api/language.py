"""The language of an answer: ``?lang=`` first, then the browser's wish, Chinese otherwise."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from zerofactory.errors import Language
from zerofactory.runs.cookies import LANGUAGE


def language_of(request: HTTPConnection) -> Language:
    """Return the language that a request wants."""
    asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE) or ""
    if asked in ("zh", "en"):
        return "en" if asked == "en" else "zh"
    wished = request.headers.get("accept-language", "")
    ranked = sorted((_weighed(part) for part in wished.split(",") if part.strip()), key=lambda pair: -pair[1])
    for name, _ in ranked:
        if name[:2] in ("zh", "en"):
            return "en" if name[:2] == "en" else "zh"
    return "zh"


def _weighed(part: str) -> tuple[str, float]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return name.casefold(), float(weight) if weight else 1.0
    except ValueError:
        return name.casefold(), 0.0
