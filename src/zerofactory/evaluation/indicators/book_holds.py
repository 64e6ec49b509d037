"""账本具备: held by the book."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.holding import HELD
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="book_holds",
    title=Text("账本具备", "held by the book"),
    unit="fraction",
    inputs={"held": "holds@{what}"},
    compute=lambda x: x["held"],
    formula="1 when the sealed book or the plant file holds it, 0 otherwise",
    reference="the book (zf verify)",
    example=Example({"held": 1.0}, 1.0, "it holds", {"what": "closed_period"}),
    choices={"what": HELD},
)
