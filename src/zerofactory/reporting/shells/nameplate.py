"""The Digital Nameplate (IDTA 02006, version 3.0.1).

Semantic ids: admin-shell-io/submodel-templates @ 290e242f, `published/Digital nameplate/3/0/1` (CC BY 4.0); those of the address:
IDTA 02002-1-0. What the template demands and nobody has stated stands there without a value (an address is left out) and is told
by `missing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from basyx.aas import model

from zerofactory.errors import Problem, Text
from zerofactory.reporting.shells.elements import group, prop, submodel, text
from zerofactory.reporting.shells.facts import Address, Facts, Key, Nameplate, Place

SEMANTIC = "https://admin-shell.io/idta/nameplate/3/0/Nameplate"
TEMPLATE = "https://admin-shell.io/idta-02006-3-0"
TITLE = Text("数字铭牌", "digital nameplate")
ADDRESS = "https://admin-shell.io/zvei/nameplate/1/0/ContactInformations/AddressInformation"
ADDRESS_MORE = ("https://admin-shell.io/smt-dropin/smt-dropin-use/1/0", "0112/2///61360_7#AAS002#001", "0173-1#02-AAQ837#008/0173-1#01-ADR448#008")  # fmt: skip
SPECIFIC, ARBITRARY = "0173-1#02-ABI218#003/0173-1#01-AGZ672#004", "https://admin-shell.io/SMT/General/ArbitraryProp"
TEXTS: Mapping[str, tuple[str, str, str]] = {
    "manufacturer": ("ManufacturerName", "0112/2///61987#ABA565#009", "0173-1#02-AAO677#004"),
    "designation": ("ManufacturerProductDesignation", "0112/2///61987#ABA567#009", "0173-1#02-AAW338#003"),
    "root": ("ManufacturerProductRoot", "0112/2///61360_7#AAS011#001", "0173-1#02-AAU732#003"),
    "family": ("ManufacturerProductFamily", "0112/2///61987#ABP464#002", "0173-1#02-AAU731#003"),
}
STRINGS: Mapping[str, tuple[str, str, str]] = {
    "type": ("ManufacturerProductType", "0112/2///61987#ABA300#008", "0173-1#02-AAO057#004"),
    "order_code": ("OrderCodeOfManufacturer", "0112/2///61987#ABA950#008", "0173-1#02-AAO227#004"),
    "article_number": ("ProductArticleNumberOfManufacturer", "0112/2///61987#ABA581#007", "0173-1#02-AAO676#005"),
    "serial_number": ("SerialNumber", "0112/2///61987#ABA951#009", "0173-1#02-AAM556#004"),
    "year_of_construction": ("YearOfConstruction", "0112/2///61987#ABP000#002", "0173-1#02-AAP906#003"),
    "hardware_version": ("HardwareVersion", "0112/2///61987#ABA926#008", "0173-1#02-AAN270#004"),
    "firmware_version": ("FirmwareVersion", "0112/2///61987#ABA302#006", "0173-1#02-AAM985#004"),
    "software_version": ("SoftwareVersion", "0112/2///61987#ABA601#008", "0173-1#02-AAM737#004"),
    "country_of_origin": ("CountryOfOrigin", "0112/2///61987#ABP462#001", "0173-1#02-AAO259#007"),
}
MADE_ON = ("DateOfManufacture", "0112/2///61987#ABB757#007", "0173-1#02-AAR972#004")
URI = ("URIOfTheProduct", "0112/2///61987#ABN590#002", "0173-1#02-ABH173#003")
IN_ADDRESS: Mapping[str, tuple[str, str]] = {
    "street": ("Street", "0173-1#02-AAO128#002"),
    "zip_code": ("Zipcode", "0173-1#02-AAO129#002"),
    "city": ("CityTown", "0173-1#02-AAO132#002"),
    "country": ("NationalCode", "0173-1#02-AAO134#002"),
}
MANDATORY = ("manufacturer", "designation", "address", "order_code")
"""What the template has exactly once; the fifth, URIOfTheProduct, is the asset's own id unless another is stated."""


def nameplate(facts: Facts, place: Place) -> Any:
    """Return the name plate of a thing; None where it has none."""
    if not has_plate(place):
        return None
    own = place.nameplate
    elements: list[Any] = [
        prop(URI[0], URI[1], own.uri or facts.asset_id(place.key), model.datatypes.AnyURI, supplemental=URI[2:])
    ]
    for key in ("manufacturer", "designation"):
        elements.append(text(*TEXTS[key][:2], getattr(own, key), TEXTS[key][2:]))
    if own.address is not None:
        elements.append(group("AddressInformation", ADDRESS, _address(own.address), supplemental=ADDRESS_MORE))
    elements += [text(*TEXTS[key][:2], getattr(own, key), TEXTS[key][2:]) for key in ("root", "family") if getattr(own, key)]  # fmt: skip
    for key, (name, semantic, more) in STRINGS.items():
        if getattr(own, key) is not None or key in MANDATORY:
            elements.append(prop(name, semantic, getattr(own, key), supplemental=(more,)))
    if own.date_of_manufacture is not None:
        made = model.datatypes.Date(own.date_of_manufacture.year, own.date_of_manufacture.month, own.date_of_manufacture.day)  # fmt: skip
        elements.append(prop(MADE_ON[0], MADE_ON[1], made, model.datatypes.Date, supplemental=MADE_ON[2:]))
    if place.properties:
        stated = [prop(key, ARBITRARY, value) for key, value in place.properties]
        elements.append(group("AssetSpecificProperties", SPECIFIC, stated))
    identity = (facts.submodel_id(place.key, "nameplate"), "Nameplate", SEMANTIC)
    return submodel(identity, elements, ("3", "0", TEMPLATE), TITLE)


def _address(address: Address) -> Iterator[Any]:
    for key, (name, semantic) in IN_ADDRESS.items():
        stated = getattr(address, key)
        if stated is not None:
            yield text(name, semantic, stated)


def missing(places: Iterable[Place], file: str) -> list[Problem]:
    """Return a warning that names the things whose name plates lack what the template demands, and how to give it."""
    found: dict[tuple[str, ...], list[str]] = {}
    for place in places:
        if gaps := lacking(place):
            found.setdefault(gaps, []).append(named(place.key))
    return [_missing(gaps, names, file) for gaps, names in found.items()]


def lacking(place: Place) -> tuple[str, ...]:
    """Return the keys of a thing's name plate that the template demands and nobody has stated; none where it has no plate."""
    if not has_plate(place):
        return ()
    return tuple(key for key in MANDATORY if getattr(place.nameplate, key) is None)


def has_plate(place: Place) -> bool:
    """Return whether a thing has a name plate: a shop is no product of anybody, and a model of car has none of its own."""
    return place.key.kind not in ("shop", "product") or place.nameplate != Nameplate()


def named(key: Key) -> str:
    """Return a thing as a person names it: ``plant``, or kind and id.

    Examples
    --------
    >>> named(Key("plant", "sh1")), named(Key("line", "press-1"))
    ('plant', 'line/press-1')
    """
    return "plant" if key.kind == "plant" else f"{key.kind}/{key.id}"


def _missing(gaps: tuple[str, ...], names: list[str], file: str) -> Problem:
    listed, few = ", ".join(gaps), ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return Problem(
        "shells.nameplate",
        Text(
            f"{len(names)} 个铭牌缺少 {listed}: {few}。",
            f"{len(names)} name plates lack {listed}: {few}.",
        ),
        Text(
            f'请在 {file} 写 [[nameplates]] of = "{names[0]}" 及这些键; 未写的不编造。',
            f'Give them in {file}: [[nameplates]] of = "{names[0]}" with these keys; nothing is made up.',
        ),
        file=file,
        severity="warning",
    )
