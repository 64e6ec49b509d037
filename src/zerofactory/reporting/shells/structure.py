"""Hierarchical Structures enabling Bills of Material (IDTA 02011, version 1.1.1): what belongs to what.

The plant's own tells the whole tree (`Full`), each shop's and line's what is right below it (`OneDown`), and that of a machine
what it belongs to (`OneUp`). Semantic ids: admin-shell-io/submodel-templates @ 290e242f (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from basyx.aas import model

from zerofactory.errors import Text
from zerofactory.reporting.shells.elements import name, prop, reference, submodel
from zerofactory.reporting.shells.facts import Facts, Place, id_short

SEMANTIC = "https://admin-shell.io/idta/HierarchicalStructures/1/1/Submodel"
ROOT = "https://admin-shell.io/idta/HierarchicalStructures"
ENTRY, NODE, PART, WHOLE, TYPE = (
    f"{ROOT}/{word}/1/0" for word in ("EntryNode", "Node", "HasPart", "IsPartOf", "ArcheType")
)
TITLE = Text("层级结构", "hierarchical structure")


def structure(facts: Facts, place: Place) -> Any:
    """Return the structure submodel of a thing; None where it stands alone."""
    identity = (facts.submodel_id(place.key, "structure"), "HierarchicalStructures", SEMANTIC)
    below = facts.of(place.key)
    if below:
        full = place.parent is None
        statements = _parts(facts, identity[0], below, ("EntryNode",), full)
        kind = "Full" if full else "OneDown"
    elif place.parent is not None:
        above = next(one for one in facts.places if one.key == place.parent)
        node, link = _entity(facts, above, ()), _relation(identity[0], ("EntryNode",), node_id(above), WHOLE)
        statements, kind = [node, link], "OneUp"
    else:
        return None
    entry = model.Entity(
        "EntryNode", model.EntityType.SELF_MANAGED_ENTITY, statements, facts.asset_id(place.key),
        semantic_id=reference(ENTRY), display_name=name(place.title),
    )  # fmt: skip
    return submodel(identity, [entry, prop("ArcheType", TYPE, kind)], ("1", "1", None), TITLE)


def _parts(facts: Facts, of: str, below: Sequence[Place], path: tuple[str, ...], deep: bool) -> list[Any]:
    """Return the nodes right below a node and the relations to them; with all that is below those where ``deep``."""
    made: list[Any] = []
    for one in below:
        short = node_id(one)
        own = _parts(facts, of, facts.of(one.key), (*path, short), True) if deep else []
        made += [_entity(facts, one, own), _relation(of, path, short, PART)]
    return made


def node_id(place: Place) -> str:
    """Return the idShort of a thing's node: its kind keeps a line and the station of the same id apart."""
    return f"{place.key.kind}_{id_short(place.key.id)}"


def _entity(facts: Facts, place: Place, statements: Sequence[Any]) -> Any:
    return model.Entity(
        node_id(place), model.EntityType.SELF_MANAGED_ENTITY, statements, facts.asset_id(place.key),
        semantic_id=reference(NODE), display_name=name(place.title),
    )  # fmt: skip


def _relation(of: str, path: tuple[str, ...], short: str, kind: str) -> Any:
    """Return the relation of a node to one right below it in the tree of the submodel ``of``."""
    word = "HasPart" if kind == PART else "IsPartOf"
    first, second = _to(of, path), _to(of, (*path, short))
    return model.RelationshipElement(f"{word}_{short}", first, second, semantic_id=reference(kind))


def _to(of: str, path: tuple[str, ...]) -> Any:
    keys = [model.Key(model.KeyTypes.SUBMODEL, of), *(model.Key(model.KeyTypes.ENTITY, one) for one in path)]
    return model.ModelReference(tuple(keys), model.Entity)
