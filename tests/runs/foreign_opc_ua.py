"""A foreign reader of a plant's twin: python-opcua, a library of its own, run as a process of its own. Prints what it saw as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from opcua import Client, ua


def walk(node: Any, above: tuple[str, ...], found: dict[str, Any]) -> None:
    """Browse downwards from the entry of the plant and read every value there is."""
    for child in node.get_children():
        path = (*above, child.get_browse_name().Name)
        if child.get_node_class() == ua.NodeClass.Variable:
            if path[-1] not in ("EngineeringUnits", "EnumStrings"):
                found["/".join(path)] = read(child)
        else:
            found.setdefault("types", {})["/".join(path)] = child.get_type_definition().Identifier
            walk(child, path, found)


def read(node: Any) -> dict[str, Any]:
    """Return value, status, instant and unit of a variable; and what became of an attempt to write it."""
    wanted = ua.ReadParameters()
    wanted.NodesToRead = [ua.ReadValueId()]
    wanted.NodesToRead[0].NodeId, wanted.NodesToRead[0].AttributeId = node.nodeid, ua.AttributeIds.Value
    [shown] = node.server.read(wanted)
    value = shown.Value.Value
    told: dict[str, Any] = {
        "value": value.isoformat() if hasattr(value, "isoformat") else value,
        "status": shown.StatusCode.name,
        "at": None if shown.SourceTimestamp is None else shown.SourceTimestamp.isoformat(),
    }
    for child in node.get_properties():
        if child.get_browse_name().Name == "EngineeringUnits":
            told["unit"] = child.get_value().UnitId
        if child.get_browse_name().Name == "EnumStrings":
            told["names"] = [one.Text for one in child.get_value()]
    try:
        node.set_value(ua.DataValue(ua.Variant(1.0, ua.VariantType.Double)))
        told["written"] = "done"
    except ua.UaStatusCodeError as error:
        told["written"] = type(error).__name__
    return told


def main(url: str, plant: str) -> None:
    """Read a plant."""
    client = Client(url)
    client.connect()
    try:
        objects = client.get_objects_node()
        space = client.get_namespace_index(f"urn:zerofactory:plant:{plant}")
        root = objects.get_child(f"{space}:{plant}")
        found: dict[str, Any] = {}
        walk(root, (), found)
        machines = objects.get_child(f"{space}:Machines").get_children()
        found["machines"] = sorted(one.get_browse_name().Name for one in machines)
        try:
            root.add_variable(space, "added", 1.0)
            found["added"] = "done"
        except ua.UaStatusCodeError as error:
            found["added"] = type(error).__name__
        sys.stdout.write(json.dumps(found))
    finally:
        client.disconnect()


if __name__ == "__main__":
    main(*sys.argv[1:])
