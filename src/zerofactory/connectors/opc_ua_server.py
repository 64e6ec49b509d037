"""An OPC UA server of places and their variables, for reading only: nothing in it can be written, added or called from outside.

A place is an object, its variables carry value, status and the instant they are true for. Units are EUInformation with UN/CEFACT
codes (OPC 10000-8, 5.6.4): the identifier is the code's letters as one number. OPC 10000-4 (services), 10000-5 (information model).
"""

from __future__ import annotations

import csv
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zerofactory.connectors.connection import missing_library
from zerofactory.connectors.link import hush
from zerofactory.connectors.listening import free_port, shown, taken
from zerofactory.errors import FaultyData, NotFound, Problem, Text

if TYPE_CHECKING:
    from asyncua.common.node import Node
    from asyncua.server.server import Server

UNITS_OF = "http://www.opcfoundation.org/UA/units/un/cefact"
FOLDER = "FolderType"
MOST_CONNECTIONS = 100  # clients at once; a plant has a handful, a flood is refused
Kind = Literal["number", "count", "text", "moment", "state"]
Status = Literal["good", "uncertain", "last", "bad", "none"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One value of a place: browse name, what it is, its unit, and for a state the names of its numbers."""

    name: str
    title: Text
    kind: Kind = "number"
    unit: str | None = None
    names: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """An object: ``id`` names it in the whole space, ``kind`` is its type, ``machine`` lists it under Machines too."""

    id: str
    name: str
    title: Text
    kind: str
    variables: tuple[Variable, ...] = ()
    places: tuple[Place, ...] = ()
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable says: the value, the instant it is true for, and whether to trust it.

    ``uncertain``: the sensor is doubted; ``last``: the last value there was, too old; ``bad``: no reading; ``none``: nothing measures
    it.
    """

    value: float | int | str | datetime | None
    at: datetime | None = None
    status: Status = "good"


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where the server listens and whom it lets in.

    Parameters
    ----------
    users : passwords by name; without any, everybody may read.
    certificate, key : DER or PEM files; with them channels are signed and encrypted (Basic256Sha256) and plain ones are refused.
    """

    host: str = "127.0.0.1"
    port: int = 4840
    path: str = "/zerofactory"
    users: Mapping[str, str] = field(default_factory=dict)
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as OPC UA tells it."""

    code: str
    title: str

    @property
    def number(self) -> int:
        """The code as a number: its letters, eight bits each.

        Examples
        --------
        >>> Unit("MTQ", "cubic metre").number
        5067857
        """
        return int.from_bytes(self.code.encode("ascii"), "big")


@lru_cache(maxsize=1)
def units() -> Mapping[str, Unit]:
    """Return the units that can be told, by symbol.

    Examples
    --------
    >>> units()["kW"].code
    'KWT'
    """
    text = (files("zerofactory.connectors") / "opc_ua_units.csv").read_text(encoding="utf-8")
    return {row["unit"]: Unit(row["unece"], row["en"]) for row in csv.DictReader(text.splitlines())}


def unit_of(symbol: str) -> Unit:
    """Return a unit by its symbol; raise `NotFound` with the choices."""
    if symbol not in units():
        raise NotFound(Text("OPC UA 单位", "unit for OPC UA"), symbol, tuple(units()))
    return units()[symbol]


class ReadOnlyServer:
    """The server. Everybody who is let in is a plain user, who may read and subscribe.

    Parameters
    ----------
    uri : str
        Namespace of the places; their node ids are ``ns=…;s=<place>`` and ``ns=…;s=<place>.<variable>``.

    Raises
    ------
    FaultyData
        The library is not installed, or the certificate lacks its key.
    """

    def __init__(self, uri: str, name: str, entrance: Entrance) -> None:
        if find_spec("asyncua") is None:
            raise FaultyData([missing_library("asyncua")])
        if (entrance.certificate is None) != (entrance.key is None):
            raise FaultyData([_half()])
        self._uri, self._name = uri, name
        port = entrance.port or free_port(entrance.host)
        self._port = port
        self.url = f"opc.tcp://{shown(entrance.host)}:{port}{entrance.path}"
        self._entrance = entrance
        self._nodes: dict[str, tuple[Node, Variable]] = {}
        self._shown: dict[str, Value] = {}
        self._server: Server | None = None

    async def start(self, root: Place) -> None:
        """Make the places and begin to listen; raise `FaultyData` when the address is taken."""
        from asyncua.server.server import Server

        ua = _library()

        hush("asyncua")
        users: Any = _Users(self._entrance.users)
        server = Server(user_manager=users)
        await server.init()
        server.iserver.max_connections = MOST_CONNECTIONS
        server.set_endpoint(self.url)
        server.set_server_name(self._name)
        await server.set_application_uri(self._uri)
        tokens: list[type] = [ua.UserNameIdentityToken] if self._entrance.users else [ua.AnonymousIdentityToken]
        server.set_identity_tokens(tokens)
        policies = ua.SecurityPolicyType
        if self._entrance.certificate is not None and self._entrance.key is not None:
            try:
                await server.load_certificate(self._entrance.certificate)
                await server.load_private_key(self._entrance.key)
            except (OSError, ValueError, TypeError) as error:
                raise FaultyData([_unreadable(str(error) or type(error).__name__)]) from error
            server.set_security_policy([policies.Basic256Sha256_SignAndEncrypt, policies.Basic256Sha256_Sign])
        else:
            server.set_security_policy([policies.NoSecurity])
        self._space = await server.register_namespace(self._uri)
        self._types: dict[str, Node] = {}
        self._machines = await server.nodes.objects.add_folder(
            ua.NodeId("Machines", self._space), ua.QualifiedName("Machines", self._space)
        )
        self._server = server
        await self._place(server.nodes.objects, root)
        try:
            await server.start()
        except OSError as error:
            raise FaultyData([taken(self._entrance.host, self._port, error)]) from error

    async def show(self, values: Mapping[str, Value]) -> int:
        """Write the values of ``<place>.<variable>`` that changed, those of variables that are not there left out; return how many did."""
        changed = 0
        for name, value in values.items():
            if name not in self._nodes or self._shown.get(name) == value:
                continue
            node, variable = self._nodes[name]
            await node.write_value(_data_value(value, variable))
            self._shown[name] = value
            changed += 1
        return changed

    async def stop(self) -> None:
        """Hang up and let go of the port."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    async def _place(self, parent: Node, place: Place) -> None:
        ua = _library()

        node = await self._add(parent, place.id, place.name, place.title, await self._type(place.kind))
        if place.machine:
            await self._machines.add_reference(node, ua.ObjectIds.Organizes)
        for variable in place.variables:
            await self._variable(node, place, variable)
        for one in place.places:
            await self._place(node, one)

    async def _variable(self, parent: Node, place: Place, variable: Variable) -> None:
        ua = _library()

        types = {
            "number": ua.ObjectIds.BaseAnalogType,
            "count": ua.ObjectIds.BaseAnalogType,
            "state": ua.ObjectIds.MultiStateDiscreteType,
        }
        kind = ua.NodeId(types.get(variable.kind, ua.ObjectIds.BaseDataVariableType))
        name = f"{place.id}.{variable.name}"
        node = await self._add(parent, name, variable.name, variable.title, kind, variable)
        if variable.unit is not None:
            unit = unit_of(variable.unit)
            told = ua.EUInformation(
                UNITS_OF, unit.number, ua.LocalizedText(variable.unit, "en"), ua.LocalizedText(unit.title, "en")
            )
            await node.add_property(
                ua.NodeId(f"{name}.EngineeringUnits", self._space), ua.QualifiedName("EngineeringUnits", 0), told,
                datatype=ua.NodeId(ua.ObjectIds.EUInformation),
            )  # fmt: skip
        if variable.names:
            texts = [ua.LocalizedText(one.en, "en") for one in variable.names]
            await node.add_property(
                ua.NodeId(f"{name}.EnumStrings", self._space), ua.QualifiedName("EnumStrings", 0), texts,
                datatype=ua.NodeId(ua.ObjectIds.LocalizedText),
            )  # fmt: skip
        self._nodes[name] = node, variable

    async def _add(
        self, parent: Node, name: str, browse: str, title: Text, kind: Any, variable: Variable | None = None
    ) -> Node:
        """Add one node with its type and its titles: the display name in Chinese, the description in English."""
        ua = _library()

        item = ua.AddNodesItem()
        item.RequestedNewNodeId = ua.NodeId(name, self._space)
        item.BrowseName = ua.QualifiedName(browse, self._space)
        item.ParentNodeId, item.TypeDefinition = parent.nodeid, kind
        item.NodeClass = ua.NodeClass.Object if variable is None else ua.NodeClass.Variable
        top = parent.nodeid == ua.NodeId(ua.ObjectIds.ObjectsFolder)
        item.ReferenceTypeId = ua.NodeId(ua.ObjectIds.Organizes if top else ua.ObjectIds.HasComponent)
        if variable is None:
            attributes: Any = ua.ObjectAttributes()
        else:
            attributes = ua.VariableAttributes()
            attributes.Value, attributes.ValueRank = ua.Variant(None, ua.VariantType.Null), ua.ValueRank.Scalar
            attributes.DataType = ua.NodeId(_variant(variable.kind).value)
            attributes.AccessLevel = attributes.UserAccessLevel = ua.AccessLevel.CurrentRead.mask
        attributes.DisplayName = ua.LocalizedText(title.zh, "zh-CN")
        attributes.Description = ua.LocalizedText(title.en, "en")
        item.NodeAttributes = attributes
        server = self._server
        if server is None:
            raise RuntimeError("the server is not running")
        [done] = await server.iserver.isession.add_nodes([item])
        done.StatusCode.check()
        return server.get_node(done.AddedNodeId)

    async def _type(self, kind: str) -> Any:
        """Return the object type of a kind of place, made once; a folder is the standard's."""
        ua = _library()

        if kind == FOLDER:
            return ua.NodeId(ua.ObjectIds.FolderType)
        if kind not in self._types and self._server is not None:
            parent = self._server.get_node(ua.NodeId(ua.ObjectIds.BaseObjectType))
            self._types[kind] = await parent.add_object_type(
                ua.NodeId(kind, self._space), ua.QualifiedName(kind, self._space)
            )
        return self._types[kind].nodeid


class _Users:
    """Who is let in: everybody where no passwords are set, else those who have one; nobody as an administrator."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = dict(users)

    def get_user(self, _server: Any, username: str | None = None, password: Any = None, certificate: Any = None) -> Any:
        """Return the user, or None to refuse (called by the library)."""
        from asyncua.crypto.permission_rules import User, UserRole

        if not self._users:
            return User(role=UserRole.User)
        known = self._users.get(username or "")
        given = password.decode("utf-8", "replace") if isinstance(password, bytes) else str(password or "")
        matches = hmac.compare_digest((known or "").encode(), given.encode())
        return User(role=UserRole.User, name=username) if known and matches else None


def _library() -> Any:
    """Return the library's types; its own numbers and texts are wider than its annotations."""
    from asyncua import ua

    return ua


def paths(root: Place) -> Iterator[str]:
    """Yield the name of every variable below a place."""
    for variable in root.variables:
        yield f"{root.id}.{variable.name}"
    for one in root.places:
        yield from paths(one)


def _variant(kind: Kind) -> Any:
    ua = _library()

    kinds = ua.VariantType
    return {
        "number": kinds.Double,
        "count": kinds.Int64,
        "text": kinds.String,
        "moment": kinds.DateTime,
        "state": kinds.UInt32,
    }[kind]


def _data_value(value: Value, variable: Variable) -> Any:
    """Return a value with its status and instant; one that is not there has no value and a bad status."""
    ua = _library()

    codes = {
        "good": ua.StatusCodes.Good, "uncertain": ua.StatusCodes.UncertainSensorNotAccurate,
        "last": ua.StatusCodes.UncertainLastUsableValue, "bad": ua.StatusCodes.BadNoCommunication, "none": ua.StatusCodes.BadNotSupported,
    }  # fmt: skip
    status = "bad" if value.value is None and value.status in ("good", "uncertain", "last") else value.status
    kind = _variant(variable.kind)
    told: Any = None if status in ("bad", "none") else value.value
    if isinstance(told, datetime):
        told = told.astimezone(UTC)
    elif told is not None and variable.kind == "number":
        told = float(told)
    return ua.DataValue(
        ua.Variant(told, ua.VariantType.Null if told is None else kind),
        StatusCode=ua.StatusCode(codes[status]),
        SourceTimestamp=None if value.at is None else value.at.astimezone(UTC),
        ServerTimestamp=datetime.now(UTC),
    )


def _half() -> Problem:
    return Problem(
        "opc_ua_server.half",
        Text("证书和私钥要一起给。", "A certificate and its key go together."),
        Text("请同时给出两者。", "Give both."),
    )


def _unreadable(why: str) -> Problem:
    return Problem(
        "opc_ua_server.certificate",
        Text(f"证书或私钥读不了: {why}", f"The certificate or its key cannot be read: {why}"),
        Text("请给 PEM 或 DER 文件, 私钥不加口令。", "Give PEM or DER files, the key without a passphrase."),
    )
