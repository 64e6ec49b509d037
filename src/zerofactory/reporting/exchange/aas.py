"""Carbon footprints as an AAS submodel (IDTA 02023-1-0): written and read as JSON and as AASX through the basyx SDK.

The key figures stand where any AAS program looks for them; the whole PACT footprint stands beside them as a specific footprint
of the operator PACT, so that reading back gives exactly what was written.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from basyx.aas import model
from basyx.aas.adapter import aasx
from basyx.aas.adapter.json import read_aas_json_file, write_aas_json_file

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import json_of
from zerofactory.reporting.exchange import aas_model as terms
from zerofactory.reporting.exchange.aas_model import AasCarbon, AasFile, AasFootprint, AasSpecific, irdi_of, label_of

MAX_BYTES = 50_000_000
_OLD_XML, _NEW_XML = b"https://admin-shell.io/aas/3/0", b"https://admin-shell.io/aas/3/1"


def write_json(carbon: AasCarbon) -> str:
    """Return the AAS environment (shell and submodel) as JSON."""
    stream = io.StringIO()
    write_aas_json_file(stream, _store(carbon), ensure_ascii=False, indent=2)
    return stream.getvalue() + "\n"


def write_aasx(carbon: AasCarbon, path: Path) -> None:
    """Write the AAS environment as an AASX package."""
    kept = aasx.DictSupplementaryFileContainer()  # type: ignore[no-untyped-call]
    named = [one.statement for one in carbon.footprints] + [one.online for one in carbon.specifics]
    for file in named:
        if file is not None and file.content is not None:
            kept.add_file(file.value, io.BytesIO(file.content), file.content_type)
    with aasx.AASXWriter(str(path)) as writer:
        writer.write_aas(carbon.shell_id, _store(carbon), kept, write_json=True)


def read(content: bytes, file: str | None = None) -> tuple[AasCarbon | None, list[Problem]]:
    """Return the carbon footprint submodel of an AAS file, JSON or AASX by its content, or None; and every fault.

    An element that the template does not know is a warning with its path: it is not carried further.
    """
    problems: list[Problem] = []
    carbon = None
    try:
        store, kept = _from_package(content) if content[:2] == b"PK" else (_from_json(content), None)
        carbon = _Reader(problems, kept).carbon(store)
    except _Fault as fault:
        problems.append(fault.problem)
    except FaultyData as refused:
        problems += refused.problems
    except (
        ValueError,
        KeyError,
        TypeError,
        OSError,
        SyntaxError,  # what the XML parser raises
        RuntimeError,  # an encrypted part, nesting without end
        zlib.error,
        model.AASConstraintViolation,
        zipfile.BadZipFile,
    ) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        message = Text("不是可读的 AAS 文件。", f"Not a readable AAS file: {said}.")
        problems.append(_problem("unreadable", message, Text("请用原程序重新导出。", "Export it again.")))
    return carbon, [problem.at(file=file) for problem in problems]


def _from_json(content: bytes) -> Any:
    json_of(content, None, "aas.unreadable", as_is=True)
    return read_aas_json_file(io.StringIO(content.decode("utf-8-sig")), failsafe=False)


def _from_package(content: bytes) -> tuple[Any, Any]:
    store: Any = model.DictIdentifiableStore()
    kept = aasx.DictSupplementaryFileContainer()  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "package.aasx"
        path.write_bytes(_newest(content))
        with aasx.AASXReader(str(path), failsafe=False) as reader:
            reader.read_into(store, kept)
    return store, kept


def _newest(content: bytes) -> bytes:
    """Return a package whose XML parts name the 3.1 metamodel, which holds 3.0, the only one that the SDK reads."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
            raise _Fault(_refused("展开后超过 50 MB", "it unpacks to more than 50 MB"))
        parts = [(info, archive.read(info)) for info in archive.infolist()]
    own = [part for info, part in parts if info.filename.endswith((".xml", ".rels"))]
    if any(b"<!DOCTYPE" in part or b"<!ENTITY" in part for part in own):
        raise _Fault(_refused("有部件声明了 XML 实体", "a part declares XML entities, which a package never needs"))
    if not any(_OLD_XML in part for _, part in parts):
        return content
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, part in parts:
            xml = info.filename.endswith(".xml")
            archive.writestr(info.filename, part.replace(_OLD_XML, _NEW_XML) if xml else part)
    return stream.getvalue()


def _reference(value: str) -> model.ExternalReference:
    return model.ExternalReference((model.Key(model.KeyTypes.GLOBAL_REFERENCE, value),))


def _property(
    name: str | None, semantic: str, value: Any, kind: Any = model.datatypes.String, irdi: str | None = None
) -> model.Property:
    return model.Property(
        name, kind, value, value_id=_reference(irdi) if irdi else None, semantic_id=_reference(semantic)
    )


def _labels(name: str, semantic: str, entry: str, kind: str, values: tuple[str, ...]) -> Any:
    return model.SubmodelElementList(
        name, model.Property, [_property(None, entry, value, irdi=irdi_of(kind, value)) for value in values],
        semantic_id_list_element=_reference(entry), value_type_list_element=model.datatypes.String,
        semantic_id=_reference(semantic),
    )  # fmt: skip


def _file(name: str, semantic: str, file: AasFile) -> model.File:
    return model.File(name, file.content_type, file.value, semantic_id=_reference(semantic))


def _moment(name: str, semantic: str, text: str) -> model.Property:
    return _property(name, semantic, datetime.fromisoformat(text.replace("Z", "+00:00")), model.datatypes.DateTime)


def _footprint(one: AasFootprint) -> model.SubmodelElementCollection:
    elements: list[model.SubmodelElement] = [
        _labels("PcfCalculationMethods", terms.METHODS, terms.METHOD, "method", one.methods),
        _property("PcfCO2eq", terms.CO2EQ, Decimal(one.co2eq), model.datatypes.Decimal),
        _property("ReferenceImpactUnitForCalculation", terms.UNIT, one.unit, irdi=irdi_of("unit", one.unit)),
        _property("QuantityOfMeasureForCalculation", terms.QUANTITY, float(one.quantity), model.datatypes.Double),
        _labels("LifeCyclePhases", terms.PHASES, terms.PHASE, "phase", one.phases),
    ]
    if one.statement is not None:
        elements.append(_file("ExplanatoryStatement", terms.STATEMENT, one.statement))
    if one.address:
        address = model.SubmodelElementCollection(
            "GoodsHandoverAddress",
            [model.Property(name, model.datatypes.String, value) for name, value in one.address],
            semantic_id=_reference(terms.ADDRESS),
            supplemental_semantic_id=[_reference(value) for value in terms.ADDRESS_DROP_IN],
        )
        elements.append(address)
    elements.append(_moment("PublicationDate", terms.PUBLISHED, one.published))
    if one.expires is not None:
        elements.append(_moment("ExpirationDate", terms.EXPIRES, one.expires))
    return model.SubmodelElementCollection(None, elements, semantic_id=_reference(terms.FOOTPRINT))


def _specific(one: AasSpecific) -> model.SubmodelElementCollection:
    rule: list[model.SubmodelElement] = [
        _property("PcfRuleOperator", terms.RULE_OPERATOR, one.operator),
        _property("PcfRuleName", terms.RULE_NAME, one.rule),
    ]
    if one.version is not None:
        rule.append(_property("PcfRuleVersion", terms.RULE_VERSION, one.version))
    if one.online is not None:
        rule.append(_file("PcfRuleOnlineReference", terms.RULE_ONLINE, one.online))
    elements: list[model.SubmodelElement] = [
        _labels("PcfCalculationMethods", terms.METHODS, terms.METHOD, "method", one.methods),
        model.SubmodelElementCollection("ProductOrSectorSpecificRule", rule, semantic_id=_reference(terms.RULE)),
    ]
    if one.endpoint is not None:
        api = [
            _property("PcfApiEndpoint", terms.API_ENDPOINT, one.endpoint, model.datatypes.AnyURI),
            _property("PcfApiQuery", terms.API_QUERY, one.query or ""),
        ]
        elements.append(model.SubmodelElementCollection("ExternalPcfApi", api, semantic_id=_reference(terms.API)))
    content = [_property(name, terms.ARBITRARY, value) for name, value in one.information]
    elements.append(
        model.SubmodelElementCollection("PcfInformation", content, semantic_id=_reference(terms.INFORMATION))
    )
    return model.SubmodelElementCollection(None, elements, semantic_id=_reference(terms.SPECIFIC))


def submodel_of(carbon: AasCarbon) -> Any:
    """Return the submodel alone, as an object of the SDK."""

    def listed(name: str, semantic: str, entry: str, made: list[model.SubmodelElementCollection]) -> Any:
        return model.SubmodelElementList(
            name, model.SubmodelElementCollection, made, semantic_id_list_element=_reference(entry),
            semantic_id=_reference(semantic),
        )  # fmt: skip

    elements = [
        listed(
            "ProductCarbonFootprints", terms.FOOTPRINTS, terms.FOOTPRINT, [_footprint(one) for one in carbon.footprints]
        )
    ]
    if carbon.specifics:
        made = [_specific(one) for one in carbon.specifics]
        elements.append(listed("ProductOrSectorSpecificCarbonFootprints", terms.SPECIFICS, terms.SPECIFIC, made))
    return model.Submodel(
        carbon.submodel_id, elements, id_short="CarbonFootprint", semantic_id=_reference(terms.SUBMODEL),
        administration=model.AdministrativeInformation(version="1", revision="0", template_id=terms.TEMPLATE_ID),
    )  # fmt: skip


def _store(carbon: AasCarbon) -> Any:
    submodel = submodel_of(carbon)
    shell = model.AssetAdministrationShell(
        model.AssetInformation(model.AssetKind.TYPE, carbon.asset_id), carbon.shell_id,
        submodel={model.ModelReference.from_referable(submodel)},
    )  # fmt: skip
    return model.DictIdentifiableStore([shell, submodel])


def _refused(zh: str, en: str) -> Problem:
    message = Text(f"不是可读的 AAS 文件: {zh}。", f"Not a readable AAS file: {en}.")
    return _problem("unreadable", message, Text("请用原程序重新导出。", "Export it again."))


class _Fault(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.sentence("en"))


class _Reader:
    """Reads the elements of the template by their semantic ids; what it does not know becomes a warning."""

    def __init__(self, problems: list[Problem], kept: Any) -> None:
        self._problems = problems
        self._kept = kept

    def carbon(self, store: Any) -> AasCarbon | None:
        """Return the submodel, or None when a needed element is missing or wrong."""
        submodels = [x for x in store if isinstance(x, model.Submodel) and _semantic(x) == terms.SUBMODEL]
        if not submodels:
            raise _Fault(
                _problem(
                    "no_submodel",
                    Text(
                        "没有碳足迹子模型(IDTA 02023-1-0)。", "There is no Carbon Footprint submodel (IDTA 02023-1-0)."
                    ),
                    Text(f"应有 semanticId {terms.SUBMODEL}。", f"Expected the semanticId {terms.SUBMODEL}."),
                )
            )
        submodel = submodels[0]
        if len(submodels) > 1:
            self._warn(
                "several",
                "",
                "有多个碳足迹子模型, 只读第一个",
                "there are several Carbon Footprint submodels; the first is read",
            )
        if submodel.kind is model.ModellingKind.TEMPLATE:
            raise _Fault(
                _problem(
                    "template",
                    Text(
                        "这是模板(kind = Template), 没有数值。",
                        "This is the template (kind = Template); it holds no figures.",
                    ),
                    Text("请提供 Instance。", "Give an instance."),
                )
            )
        shell = next(
            (
                x
                for x in store
                if isinstance(x, model.AssetAdministrationShell)
                and any(r.key[0].value == submodel.id for r in x.submodel)
            ),
            None,
        )
        found = {terms.FOOTPRINTS: [], terms.SPECIFICS: []}  # type: dict[str, list[Any]]
        for element in submodel.submodel_element:
            if _semantic(element) in found:
                found[_semantic(element)] = list(element.value)  # type: ignore[attr-defined]
            else:
                self._unknown(element, submodel.id_short or "")
        footprints = tuple(
            self._footprint(x, f"ProductCarbonFootprints[{i}]") for i, x in enumerate(found[terms.FOOTPRINTS])
        )
        specifics = tuple(
            self._specific(x, f"ProductOrSectorSpecificCarbonFootprints[{i}]")
            for i, x in enumerate(found[terms.SPECIFICS])
        )
        if not footprints and not self._problems:
            self._fail("missing", "ProductCarbonFootprints", "没有产品碳足迹", "holds no product carbon footprint")
        if any(p.severity == "error" for p in self._problems):
            return None
        asset = shell.asset_information.global_asset_id if shell is not None else None
        return AasCarbon(submodel.id, shell.id if shell is not None else "", asset or "", footprints, specifics)

    def _footprint(self, element: Any, path: str) -> AasFootprint:
        found = self._children(
            element,
            path,
            (
                terms.METHODS,
                terms.CO2EQ,
                terms.UNIT,
                terms.QUANTITY,
                terms.PHASES,
                terms.STATEMENT,
                terms.ADDRESS,
                terms.PUBLISHED,
                terms.EXPIRES,
            ),
        )
        address = found.get(terms.ADDRESS)
        return AasFootprint(
            methods=self._list(found, terms.METHODS, "method", f"{path}.PcfCalculationMethods"),
            co2eq=self._decimal(found, terms.CO2EQ, f"{path}.PcfCO2eq"),
            unit=self._unit(found, f"{path}.ReferenceImpactUnitForCalculation"),
            quantity=self._decimal(found, terms.QUANTITY, f"{path}.QuantityOfMeasureForCalculation", positive=True),
            phases=self._list(found, terms.PHASES, "phase", f"{path}.LifeCyclePhases"),
            published=self._moment(found, terms.PUBLISHED, f"{path}.PublicationDate") or "",
            expires=self._moment(found, terms.EXPIRES, f"{path}.ExpirationDate", required=False),
            statement=self._as_file(found.get(terms.STATEMENT)),
            address=tuple(self._texts(address, f"{path}.GoodsHandoverAddress")) if address is not None else (),
        )

    def _specific(self, element: Any, path: str) -> AasSpecific:
        found = self._children(element, path, (terms.METHODS, terms.RULE, terms.API, terms.INFORMATION))
        rule = (
            self._children(
                found[terms.RULE],
                f"{path}.rule",
                (terms.RULE_OPERATOR, terms.RULE_NAME, terms.RULE_VERSION, terms.RULE_ONLINE),
            )
            if terms.RULE in found
            else {}
        )
        api = (
            self._children(found[terms.API], f"{path}.ExternalPcfApi", (terms.API_ENDPOINT, terms.API_QUERY))
            if terms.API in found
            else {}
        )
        information = found.get(terms.INFORMATION)
        return AasSpecific(
            methods=self._list(found, terms.METHODS, "method", f"{path}.PcfCalculationMethods"),
            operator=self._text(rule, terms.RULE_OPERATOR, f"{path}.PcfRuleOperator") or "",
            rule=self._text(rule, terms.RULE_NAME, f"{path}.PcfRuleName") or "",
            version=self._text(rule, terms.RULE_VERSION, f"{path}.PcfRuleVersion", required=False),
            online=self._as_file(rule.get(terms.RULE_ONLINE)),
            endpoint=self._text(api, terms.API_ENDPOINT, f"{path}.PcfApiEndpoint", required=False),
            query=self._text(api, terms.API_QUERY, f"{path}.PcfApiQuery", required=False) if api else None,
            information=tuple(self._texts(information, f"{path}.PcfInformation")) if information is not None else (),
        )

    def _children(self, element: Any, path: str, known: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in element.value:
            if _semantic(child) in known:
                found[_semantic(child)] = child
            else:
                self._unknown(child, path)
        return found

    def _list(self, found: dict[str, Any], semantic: str, kind: str, path: str) -> tuple[str, ...]:
        element = found.get(semantic)
        values = (
            tuple(label_of(kind, _text_of(child)) for child in element.value if _text_of(child))
            if element is not None
            else ()
        )
        if not values:
            self._fail("missing", path, "缺少或为空", "is missing or empty")
        return values

    def _unit(self, found: dict[str, Any], path: str) -> str:
        unit = label_of("unit", self._text(found, terms.UNIT, path) or "")
        if unit and unit not in terms.labels("unit"):
            listed = ", ".join(terms.labels("unit"))
            self._fail("unit", path, f"不能是“{unit}”, 可选 {listed}", f"cannot be '{unit}'; choose one of {listed}")
        return unit

    def _text(self, found: dict[str, Any], semantic: str, path: str, required: bool = True) -> str | None:
        text = _text_of(found.get(semantic))
        if required and not text:
            self._fail("missing", path, "缺少或为空", "is missing or empty")
        return text if text or semantic in found else None

    def _decimal(self, found: dict[str, Any], semantic: str, path: str, positive: bool = False) -> str:
        text = self._text(found, semantic, path)
        if not text:
            return "0"
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or (positive and number <= 0):
            self._fail("number", path, f"不能是 {text}", f"cannot be {text}")
            return "0"
        return format(number, "f")

    def _moment(self, found: dict[str, Any], semantic: str, path: str, required: bool = True) -> str | None:
        value = found[semantic].value if semantic in found else None
        if value is None:
            if required:
                self._fail("missing", path, "缺少或为空", "is missing or empty")
            return None
        if value.tzinfo is None:
            self._warn("no_zone", path, "没有时区, 按 UTC", "has no time zone and is taken as UTC")
            value = value.replace(tzinfo=UTC)
        return str(value.astimezone(UTC).isoformat().replace("+00:00", "Z"))

    def _texts(self, element: Any, path: str) -> Iterator[tuple[str, str]]:
        for child in element.value:
            if isinstance(child, model.Property):
                yield child.id_short or "", _text_of(child)
            else:
                self._unknown(child, path)

    def _as_file(self, element: Any) -> AasFile | None:
        if element is None or not element.value:
            return None
        content = None
        if self._kept is not None and str(element.value) in self._kept:
            stream = io.BytesIO()
            self._kept.write_file(str(element.value), stream)
            content = stream.getvalue()
        return AasFile(str(element.value), str(element.content_type), content)

    def _unknown(self, element: Any, path: str) -> None:
        self._warn(
            "unknown_element",
            f"{path}.{element.id_short or '?'}",
            "模板中没有此元素, 未读入",
            "is not in the template and was not read",
        )

    def _warn(self, code: str, path: str, zh: str, en: str) -> None:
        self._problems.append(
            _problem(
                code,
                Text(f"{zh}。", f"{en[0].upper()}{en[1:]}."),
                Text("原文件作为凭证保留。", "The file itself is kept as evidence."),
                path,
                "warning",
            )
        )

    def _fail(self, code: str, path: str, zh: str, en: str) -> None:
        name = path.rpartition(".")[2]
        self._problems.append(
            _problem(
                code,
                Text(f"“{name}”{zh}。", f"'{name}' {en}."),
                Text("请补全后重新导出。", "Complete it and export again."),
                path,
            )
        )


def _semantic(element: Any) -> str:
    reference = element.semantic_id
    return str(reference.key[0].value) if reference is not None else ""


def _text_of(element: Any) -> str:
    value = getattr(element, "value", None)
    if value is None or value == "":
        reference = getattr(element, "value_id", None)
        return str(reference.key[0].value) if reference is not None else ""
    return repr(value) if isinstance(value, float) and not isinstance(value, str) else str(value)


def _problem(code: str, message: Text, hint: Text, path: str = "", severity: Any = "error") -> Problem:
    return Problem(f"aas.{code}", message, hint, column=path or None, severity=severity)
