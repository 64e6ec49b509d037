"""Methods by name: what a word in the column `method` of a record means. A formula speaks for itself."""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.errors import Text

METHODS: Mapping[str, Text] = {
    "mass_balance": Text("质量平衡法", "mass balance"),
    "service": Text("维修补充量法", "amount refilled at service"),
    "screening": Text("筛查法(充注量 × 泄漏率)", "screening (charge × leak rate)"),
    "refill": Text("补充量即排放量", "amount refilled"),
    "nameplate": Text("铭牌充注量 × 泄漏率", "nameplate charge × leak rate"),
    "balance": Text("充注物料平衡", "balance of the filling"),
    "fills": Text("充注次数 × 单次损失", "fillings × loss of one"),
    "rate": Text("充注量 × 初装损失率", "charge × loss rate of the first fill"),
    "consumption": Text("消耗量即排放量", "amount consumed"),
    "casting": Text("铸件产量 × 因子", "castings × factor"),
    "measured": Text("连续监测", "measured continuously"),
    "monitored": Text("监测", "monitored"),
}


def method_title(name: str) -> Text:
    """Return what a method is called; a formula, or a word of another package, is its own title.

    Examples
    --------
    >>> method_title("mass_balance").en, method_title("NCV × EF").zh
    ('mass balance', 'NCV × EF')
    """
    return METHODS.get(name, Text(name, name))
