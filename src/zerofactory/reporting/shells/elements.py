"""Submodel elements by their semantic ids, made with the basyx SDK: one line each where a template asks for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from basyx.aas import model

from zerofactory.errors import Text

LONGEST_NAME = 64  # MultiLanguageNameType of metamodel 3.0 (IDTA 01001-3-0, 5.3.12)
LANGUAGES = ("zh", "en")


@lru_cache(maxsize=4096)
def reference(*values: str) -> model.ExternalReference:
    """Return a reference to something outside any shell: a concept of a dictionary; it cannot be changed, so one is enough."""
    return model.ExternalReference(tuple(model.Key(model.KeyTypes.GLOBAL_REFERENCE, one) for one in values))


def references(values: Iterable[str]) -> list[model.ExternalReference]:
    """Return references to several concepts; ``a/b`` in ECLASS means b seen as a."""
    return [reference(*one.split("|")) for one in values]


def languages(text: Text) -> model.MultiLanguageTextType:
    """Return a text in both languages."""
    return model.MultiLanguageTextType({"zh": text.zh, "en": text.en})


def name(text: Text) -> model.MultiLanguageNameType:
    """Return a name in both languages, cut to what the metamodel allows."""
    return model.MultiLanguageNameType({"zh": text.zh[:LONGEST_NAME], "en": text.en[:LONGEST_NAME]})


def prop(id_short: str | None, semantic: str, value: Any, kind: Any = model.datatypes.String, **more: Any) -> Any:
    """Return a property; ``value`` None: it is there and nobody has stated it.

    Parameters
    ----------
    kind : type of `basyx.aas.model.datatypes`
    more : ``value_id`` (id of the value in a list), ``supplemental`` (further semantic ids), ``title`` (shown name).
    """
    return model.Property(
        id_short, kind, None if value is None else kind(value) if kind in (model.datatypes.String,) else value,
        value_id=reference(more["value_id"]) if more.get("value_id") else None, semantic_id=reference(semantic),
        supplemental_semantic_id=references(more.get("supplemental", ())),
        display_name=name(more["title"]) if more.get("title") else None,
    )  # fmt: skip


def decimal(id_short: str, semantic: str, value: Decimal, **more: Any) -> Any:
    """Return a property with an exact decimal."""
    return prop(id_short, semantic, value, model.datatypes.Decimal, **more)


def moment(id_short: str, semantic: str, value: datetime | None) -> Any:
    """Return a property with a moment in UTC."""
    return prop(id_short, semantic, value.astimezone(UTC) if value else None, model.datatypes.DateTime)


def text(id_short: str, semantic: str, value: Text | None, supplemental: Iterable[str] = ()) -> Any:
    """Return a property in both languages."""
    return model.MultiLanguageProperty(
        id_short, None if value is None else languages(value), semantic_id=reference(semantic),
        supplemental_semantic_id=references(supplemental),
    )  # fmt: skip


def group(id_short: str | None, semantic: str, elements: Iterable[Any], **more: Any) -> Any:
    """Return elements that belong together; ``supplemental`` and ``title`` as for `prop`."""
    return model.SubmodelElementCollection(
        id_short, elements, semantic_id=reference(semantic), supplemental_semantic_id=references(more.get("supplemental", ())),
        display_name=name(more["title"]) if more.get("title") else None,
    )  # fmt: skip


def listed(id_short: str, semantic: str, entry: str, elements: Sequence[Any], kind: Any = None) -> Any:
    """Return a list of elements of one kind: groups, or properties of a data type."""
    return model.SubmodelElementList(
        id_short, model.Property if kind else model.SubmodelElementCollection, elements,
        semantic_id_list_element=reference(entry), value_type_list_element=kind, semantic_id=reference(semantic),
    )  # fmt: skip


def submodel(identity: tuple[str, str, str], elements: Iterable[Any], edition: tuple[str, str, str | None], title: Text) -> Any:  # fmt: skip
    """Return a submodel.

    Parameters
    ----------
    identity : its id, its idShort and its semantic id.
    edition : version and revision of the template and, where it has one, the template's id.
    """
    version, revision, template = edition
    return model.Submodel(
        identity[0], elements, id_short=identity[1], semantic_id=reference(identity[2]), display_name=name(title),
        administration=model.AdministrativeInformation(version=version, revision=revision, template_id=template),
    )  # fmt: skip
