"""DEFECTS: every part that was judged, by a model or by an inspector. Appended, never changed; who judges again names the row it corrects.

The row that stands for a part is the one that no later row corrects: an inspector's verdict stands in place of the model's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

GOOD, UNNAMED = "ok", "unnamed"
"""What stands under ``defect`` for a good part, and for a bad one whose defect nobody has named."""

DISPOSITIONS = {
    "accept": Text("合格", "accepted"),
    "rework": Text("返工", "rework"),
    "scrap": Text("报废", "scrap"),
    "recheck": Text("待复检", "to be looked at again"),
}
DECIDERS = {"model": Text("模型", "model"), "inspector": Text("检验员", "inspector")}


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


DEFECTS = TableSchema(
    "defects",
    Text("检验记录", "inspected parts"),
    (
        _text("defect_id", "编号", "id"),
        _text("corrects", "更正哪一条", "row it corrects", nullable=True),
        Column("inspected_at", "moment", Text("检验时间", "inspected at")),
        _text("part_code", "零件码", "part code"),
        _text("product", "产品", "product", nullable=True),
        _text("shop", "车间", "shop"),
        _text("station", "工位", "station", nullable=True),
        _text("defect", "缺陷类别(ok 为合格)", "class of defect (ok: none)"),
        _text("cause", "原因", "cause", nullable=True),
        _text("disposition", "处置", "disposition", choices=tuple(DISPOSITIONS)),
        _text("decided_by", "由谁判定", "decided by", choices=tuple(DECIDERS)),
        _text("model", "模型", "model", nullable=True),
        Column("model_version", "integer", Text("模型版本", "version of the model"), nullable=True, minimum=1),
        Column("score", "number", Text("模型得分", "score by the model"), nullable=True),
        Column("threshold", "number", Text("当时阈值", "threshold then"), nullable=True),
        _text("likeliest", "模型认为最可能", "likeliest class", nullable=True),
        _text("image_sha256", "图片SHA-256", "SHA-256 of the image", nullable=True),
        Column("quantity", "integer", Text("件数", "parts"), minimum=1),
        Column("audit", "flag", Text("随机抽检", "drawn at random"), note=Text("模型放过后抽来复核", "passed by the model and drawn to be looked at")),
        _text("note", "说明", "note", nullable=True),
        _text("actor", "经手人", "who"),
    ),
    ("defect_id",),
)  # fmt: skip


def standing(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that no other row corrects, in their order: one a part and look."""
    import polars as pl

    return rows.filter(~pl.col("defect_id").is_in(rows["corrects"].drop_nulls().to_list()))
