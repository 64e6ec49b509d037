"""The simple types of PACT: decimals as text, UTC instants as text, URNs, UUIDs, and its lists of words.

Texts are kept as they were written ("77.0" stays "77.0"), so that reading and writing loses nothing. Facts from the published
OpenAPI documents of the PACT data exchange, versions 3.0 and 2.3 (wbcsd/pact-conformance-service @ 839bfe8c, MIT).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from zerofactory.wording import complaint

DECIMAL = re.compile(r"^[+-]?\d+(\.\d+)?$")
_MOMENT = re.compile(r"^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]00:00)$")
_URN = re.compile(r"^[uU][rR][nN]:[A-Za-z0-9][A-Za-z0-9-]{0,31}:\S+$")
_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_VERSION = re.compile(r"^\d+\.\d+\.\d+(-\d{8})?$")
_GWP = re.compile(r"^AR\d+$")
_COUNTRY = re.compile(r"^[A-Z]{2}$")
_SUBDIVISION = re.compile(r"^[A-Z]{2}-[A-Z0-9]{1,3}$")
_URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")
LONGEST_DECIMAL = 60

DeclaredUnit2 = Literal[
    "liter", "kilogram", "cubic meter", "kilowatt hour", "megajoule", "ton kilometer", "square meter"
]
DeclaredUnit = Literal[
    "liter", "kilogram", "cubic meter", "kilowatt hour", "megajoule", "ton kilometer", "square meter",
    "piece", "hour", "megabit second",
]  # fmt: skip
Status = Literal["Active", "Deprecated"]
Region = Literal[
    "Africa", "Americas", "Asia", "Europe", "Oceania", "Australia and New Zealand", "Central Asia", "Eastern Asia",
    "Eastern Europe", "Latin America and the Caribbean", "Melanesia", "Micronesia", "Northern Africa", "Northern America",
    "Northern Europe", "Polynesia", "South-eastern Asia", "Southern Asia", "Southern Europe", "Sub-Saharan Africa",
    "Western Asia", "Western Europe",
]  # fmt: skip
RuleOperator = Literal["PEF", "EPD International", "Other"]
UNITS = {
    "liter": "L", "kilogram": "kg", "cubic meter": "m3", "kilowatt hour": "kWh", "megajoule": "MJ",
    "ton kilometer": "t·km", "square meter": "m2", "piece": "piece", "hour": "h",
}  # fmt: skip
"""The symbol of our table of units for each declared unit; ``megabit second`` has none."""


def complain(code: str, zh: str, en: str) -> PydanticCustomError:
    """Return the error that a validator raises; both languages travel with it."""
    return complaint(f"pact_{code}", zh, en)


def _matching(pattern: re.Pattern[str], zh: str, en: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.match(value):
            raise complain("form", zh, en)
        return value

    return AfterValidator(check)


def _decimal(minimum: str | None = None, maximum: str | None = None, above: str | None = None) -> AfterValidator:
    def check(value: str) -> str:
        if not DECIMAL.match(value) or len(value) > LONGEST_DECIMAL:
            raise complain("decimal", '应为十进制数文字, 如 "12.5"', 'should be a decimal as text such as "12.5"')
        number = Decimal(value)
        if minimum is not None and number < Decimal(minimum):
            raise complain("range", f"不得小于 {minimum}", f"must not be below {minimum}")
        if maximum is not None and number > Decimal(maximum):
            raise complain("range", f"不得大于 {maximum}", f"must not be above {maximum}")
        if above is not None and number <= Decimal(above):
            raise complain("range", f"必须大于 {above}", f"must be above {above}")
        return value

    return AfterValidator(check)


def _instant(value: str) -> str:
    if not _MOMENT.match(value):
        raise complain(
            "moment", "应为 UTC 时间, 如 2025-01-31T00:00:00Z", "should be a UTC time such as 2025-01-31T00:00:00Z"
        )
    try:
        moment(value)
    except ValueError:
        raise complain("moment", "没有这个时间", "there is no such time") from None
    return value


def moment(text: str) -> datetime:
    """Return the instant that a checked text means.

    Examples
    --------
    >>> moment("2024-02-28T00:00:00+00:00").isoformat()
    '2024-02-28T00:00:00+00:00'
    """
    match = _MOMENT.match(text)
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    micro = int(((match.group(7) or ".0")[1:] + "000000")[:6])
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


Decimals = Annotated[str, _decimal()]
NotNegative = Annotated[str, _decimal(minimum="0")]
NotPositive = Annotated[str, _decimal(maximum="0")]
Positive = Annotated[str, _decimal(above="0")]
Percent = Annotated[str, _decimal(minimum="0", maximum="100")]
Rating = Annotated[str, _decimal(minimum="1", maximum="5")]
Instant = Annotated[str, AfterValidator(_instant)]
Urn = Annotated[
    str, _matching(_URN, "应为 URN, 如 urn:gtin:4712345060507", "should be a URN such as urn:gtin:4712345060507")
]
Uuid = Annotated[str, _matching(_UUID, "应为 UUID", "should be a UUID")]
SpecVersion = Annotated[str, _matching(_VERSION, "应为版本号, 如 3.0.0", "should be a version such as 3.0.0")]
Gwp = Annotated[str, _matching(_GWP, "应为 AR6 这样的报告号", "should name a report such as AR6")]
Country = Annotated[
    str, _matching(_COUNTRY, "应为 ISO 3166-1 两位国家代码", "should be an ISO 3166-1 code of two letters")
]
Subdivision = Annotated[
    str, _matching(_SUBDIVISION, "应为 ISO 3166-2 代码, 如 CN-SH", "should be an ISO 3166-2 code such as CN-SH")
]
Uri = Annotated[str, _matching(_URI, "应为 URI", "should be a URI")]
