"""The table ACTIVITIES, and what a kind of source asks of the document form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

TIERS = ("metered", "invoiced", "estimated")

ACTIVITIES = TableSchema(
    name="activities",
    title=Text("活动数据", "Activities"),
    columns=(
        Column("activity_id", "text", Text("编号", "id"), note=Text("内容的摘要", "digest of the content")),
        Column("source_id", "text", Text("排放源", "source")),
        Column("source_kind", "text", Text("排放源种类", "kind of source")),
        Column("shop", "text", Text("车间", "shop")),
        Column("period", "text", Text("期间", "period"), note=Text("年-月", "YYYY-MM")),
        Column("started_at", "moment", Text("开始", "start")),
        Column("ended_at", "moment", Text("结束", "end"), note=Text("不含", "not included")),
        Column("item", "text", Text("品种", "item"), nullable=True),
        Column("quantity", "number", Text("数量", "quantity")),
        Column("unit", "text", Text("单位", "unit")),
        Column("tier", "text", Text("数据来源", "data source"), choices=TIERS),
        Column("estimated_fraction", "number", Text("估算比例", "estimated share"), minimum=0.0, maximum=1.0),
        Column(
            "evidence",
            "text",
            Text("凭据", "evidence"),
            nullable=True,
            note=Text("单据或读数序列的 SHA-256", "SHA-256 of the document or of the series"),
        ),
        Column("detail", "text", Text("参数", "detail"), note=Text("规范 JSON", "canonical JSON")),
        Column("document", "text", Text("凭证号", "document"), nullable=True),
        Column("note", "text", Text("备注", "note"), nullable=True),
    ),
    key=("activity_id",),
)


class FormKind(Protocol):
    """What a kind of source asks of the document form.

    Attributes
    ----------
    units : tuple of str
        Dimensions of `units.csv` in which a quantity may be given.
    items : tuple of str
        Known items; empty: any.
    item_required : bool
        Whether a row must name an item.
    balance : tuple of (str, int)
        Columns from which the quantity may be given instead: quantity = Σ sign × column.
    details : tuple of Column
        Further columns. A text column tells things apart (two instruments may cover the same month), a number is a property.
    """

    @property
    def units(self) -> tuple[str, ...]: ...
    @property
    def items(self) -> tuple[str, ...]: ...
    @property
    def item_required(self) -> bool: ...
    @property
    def balance(self) -> tuple[tuple[str, int], ...]: ...
    @property
    def details(self) -> tuple[Column, ...]: ...


def canonical(detail: Mapping[str, object]) -> str:
    """Return particulars as canonical JSON: sorted keys, no blanks, UTF-8 as it is.

    Examples
    --------
    >>> canonical({"b": 1.5, "a": "气"})
    '{"a":"气","b":1.5}'
    """
    return json.dumps(dict(detail), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*parts: object) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a content."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def identified(frame: pl.DataFrame) -> pl.DataFrame:
    """Return activities with ``identity``: the text particulars, which tell two things of one source apart."""
    import polars as pl

    known = {text: _identity(text) for text in frame["detail"].unique().to_list()}
    identity = pl.col("detail").replace_strict(list(known), list(known.values()), return_dtype=pl.String)
    return frame.with_columns(identity.alias("identity"))


def _identity(detail: str) -> str:
    return canonical({key: value for key, value in json.loads(detail).items() if isinstance(value, str)})
