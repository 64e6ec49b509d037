"""Which language the user reads: ``ZF_LANG``, else the locale, else Chinese."""

from __future__ import annotations

import os

from zerofactory.errors import Language, Text


def language() -> Language:
    """Return ``zh`` or ``en``: ``ZF_LANG`` first, then the locale; a locale that names neither means Chinese."""
    chosen = os.environ.get("ZF_LANG", "").strip().lower()
    if chosen.startswith("en"):
        return "en"
    if chosen.startswith("zh"):
        return "zh"
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "").lower()
        if value and value not in ("c", "posix", "c.utf-8", "c.utf8"):
            return "en" if value.startswith("en") else "zh"
    return "zh"


def say(zh: str, en: str) -> str:
    """Return the sentence in the user's language."""
    return zh if language() == "zh" else en


def read(text: Text) -> str:
    """Return a bilingual text in the user's language."""
    return text.in_language(language())
