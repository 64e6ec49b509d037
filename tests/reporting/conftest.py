"""A statement with every part filled: an invented plant whose figures add up, and a bare one with nothing optional."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from zerofactory.errors import Text
from zerofactory.reporting import statement as st

T = Text
TONNE = 1_000_000
CATEGORIES = [
    ("1.1", T("固定燃烧源", "Stationary combustion"), 1, 48_213.4),
    ("1.2", T("移动燃烧源", "Mobile combustion"), 1, 1_876.2),
    ("1.3", T("过程排放", "Industrial processes"), 1, 3_402.7),
    ("1.4", T("逸散排放", "Fugitive emissions"), 1, 962.3),
    ("2.1", T("输入电力", "Imported electricity"), 2, 121_557.9),
    ("2.2", T("输入热力", "Imported heat and steam"), 2, 14_020.1),
]
SHOPS = [
    ("stamping", T("冲压车间", "Stamping"), 0.07),
    ("body", T("焊装车间", "Body"), 0.15),
    ("paint", T("涂装车间", "Paint"), 0.49),
    ("assembly", T("总装车间", "Assembly"), 0.09),
    ("powertrain", T("动力总成", "Powertrain"), 0.06),
    ("battery", T("电池车间", "Battery"), 0.05),
    ("casting", T("压铸车间", "Casting"), 0.04),
    ("utilities", T("公用动力", "Utilities"), 0.05),
]
SEASON = (11.2, 10.1, 9.0, 7.4, 6.8, 7.3, 8.4, 8.6, 7.3, 6.9, 7.9, 9.1)


def spread(total: int, weights: list[float]) -> list[int]:
    """Split an integer by weights; the last part takes the rest."""
    parts = [int(total * weight / sum(weights)) for weight in weights]
    parts[-1] += total - sum(parts)
    return parts


GRAMS = [int(row[3] * TONNE) for row in CATEGORIES]
TOTAL = sum(GRAMS)
HASH = "9f2c4e1ab7d05836cc41e97a0b3f5d628841ad77e0c94b1f36a25d8e7f90bc13"


def lines(titles: list[tuple[str, Text]], amounts: list[int]) -> tuple[st.Line, ...]:
    """Rows that split the total."""
    return tuple(
        st.Line(key, title, amount, amount / TOTAL) for (key, title), amount in zip(titles, amounts, strict=True)
    )


def cells(rows: list[str], weights: list[float]) -> tuple[st.Cell, ...]:
    """Cross table of rows and categories."""
    made = []
    for (key, *_rest), grams in zip(CATEGORIES, GRAMS, strict=True):
        made += [st.Cell(row, key, part) for row, part in zip(rows, spread(grams, weights), strict=True)]
    return tuple(made)


def sums(table: tuple[st.Cell, ...], row: str) -> int:
    """Sum of one row of a cross table."""
    return sum(cell.emissions_gco2e for cell in table if cell.row == row)


def categories() -> tuple[st.CategoryLine, ...]:
    """Quantified categories, and the ones that are not, with the reason."""
    later = T("本期清单未纳入,筛查后另行报告", "outside this inventory; to be reported after screening")
    made = [
        st.CategoryLine(key, title, scope, grams, grams / TOTAL)
        for (key, title, scope, _t), grams in zip(CATEGORIES, GRAMS, strict=True)
    ]
    made.insert(
        4,
        st.CategoryLine(
            "1.5",
            T("土地利用", "Land use"),
            1,
            None,
            None,
            "not_occurring",
            T("厂区无此活动", "no such activity on site"),
        ),
    )
    titles = {"3": ("运输", "Transport"), "4": ("组织使用的产品", "Products used by the organisation")}
    titles |= {"5": ("使用组织的产品", "Use of products from the organisation"), "6": ("其他", "Other sources")}
    made += [
        st.CategoryLine(key, T(f"{zh}的间接排放", f"{en}"), 3, None, None, "not_quantified", later)
        for key, (zh, en) in titles.items()
    ]
    return tuple(made)


def gases() -> tuple[st.GasLine, ...]:
    """Direct and indirect by gas; CO2 takes the rest."""
    direct, indirect = sum(GRAMS[:4]), sum(GRAMS[4:])
    small = {
        "CH4": 61 * TONNE,
        "N2O": 108 * TONNE,
        "HFCs": 902 * TONNE,
        "PFCs": 0,
        "SF6": 60 * TONNE + 321_000,
        "NF3": 0,
    }
    names = {"CH4": "CH₄", "N2O": "N₂O", "SF6": "SF₆", "NF3": "NF₃"}
    made = [st.GasLine("CO2", T("二氧化碳 CO₂", "CO₂"), direct - sum(small.values()), indirect, 52_354_000.0)]
    made += [st.GasLine(gas, T(names.get(gas, gas), names.get(gas, gas)), grams, 0) for gas, grams in small.items()]
    return tuple(made)


FACTORS = (
    st.FactorLine(
        "cn.grid.prov.shanghai.2023",
        T("上海省级平均电力二氧化碳因子", "Shanghai provincial average grid factor"),
        0.5737,
        "kgCO2/kWh",
        "CO2",
        "生态环境部 公告2025年第47号",
        "2023年度",
        "附件表3",
        "verified",
        "medium",
        T("电网因子", "Grid factors"),
        "0.5737",
    ),
    st.FactorLine(
        "cn-t1.natural_gas.ncv",
        T("天然气低位发热量", "Net calorific value of natural gas"),
        389.31,
        "GJ/万Nm3",
        None,
        "机械设备制造企业温室气体核算方法与报告指南",
        "2015 试行",
        "附录二 表2.1 第3行",
        "verified",
        "high",
        T("首批指南", "First guidelines"),
        "389.31",
    ),
    st.FactorLine(
        "cn-t1.natural_gas.cc",
        T("天然气单位热值含碳量", "Carbon content of natural gas"),
        15.3,
        "tC/TJ",
        None,
        "机械设备制造企业温室气体核算方法与报告指南",
        "2015 试行",
        "附录二 表2.1 第4行",
        "verified",
        "high",
        T("首批指南", "First guidelines"),
        "15.3",
    ),
    st.FactorLine(
        "identity.mass_balance",
        T("质量平衡", "Mass balance"),
        1.0,
        "kg/kg",
        "HFC-134a",
        "质量平衡法",
        "IPCC 2006 卷3 第7章",
        "7.2.2.3",
        "expert",
        "low",
        T("", ""),
        "1",
    ),
)
KNOWN = T("出自《首批指南》(Vol. 1)。", "From 'First guidelines' (Vol. 1).")
APPLIED = (
    st.AppliedFactor(
        "cn.grid.prov.shanghai.2023",
        0.5737,
        "kgCO2/kWh",
        "CO2",
        ("cn.grid.prov.shanghai.2023",),
        T(
            "工厂口径为省级;2025 年报告期内已公布的最新官方年份为 2023(2025-12-31 公布)。",
            "The plant asks at provincial level; 2023 is the newest official year known (published 2025-12-31).",
        ),
    ),
    *(
        st.AppliedFactor(
            f"cn-t1.natural_gas.ncv*cn-t1.natural_gas.cc*{number}",
            2.16 + number,
            "kgCO2/Nm3",
            "CO2",
            ("cn-t1.natural_gas.ncv", "cn-t1.natural_gas.cc"),
            T(
                f"天然气参数,中国。低位发热量389.31 GJ/万Nm3。按次序取第一种。{KNOWN.zh}",
                f"Gas, China. 389.31 GJ/万Nm3. By order the first. {KNOWN.en}",
            ),
        )
        for number in (1, 2, 3)
    ),
    st.AppliedFactor(
        "identity.mass_balance",
        1.0,
        "kg/kg",
        "HFC-134a, SF6",
        ("identity.mass_balance",),
        T("工厂在 factory.toml 中按名接受。", "Accepted by name in factory.toml."),
    ),
)


def evidence() -> dict[str, object]:
    """Methods, factors, activities, quality and uncertainty."""
    moment = datetime(2025, 7, 3, 2, 15, tzinfo=UTC)
    line = st.UncertaintyLine
    return {
        "methods": tuple(
            st.Method(
                source,
                title,
                category,
                T(
                    "活动数据 × 低位发热量 × 单位热值含碳量 × 碳氧化率 × 44/12",
                    "activity × NCV × carbon content × oxidation × 44/12",
                ),
                T("有计量的燃料消耗,国家参数齐全", "metered fuel; national parameters are complete"),
                "机械指南 5.1;ISO 14064-1 附录C",
            )
            for source, title, category in (
                ("boiler", T("燃气锅炉", "Gas boilers"), "1.1"),
                ("oven", T("涂装烘干炉", "Paint ovens"), "1.1"),
                ("grid", T("外购电力", "Purchased electricity"), "2.1"),
            )
        ),
        "factors": FACTORS,
        "applied_factors": APPLIED,
        "gwps": tuple(
            st.GwpLine(gas, value, "AR6", "IPCC AR6 WG1, Table 7.SM.7", "verified")
            for gas, value in (
                ("CO2", 1.0),
                ("CH4 (fossil)", 29.8),
                ("N2O", 273.0),
                ("HFC-134a", 1530.0),
                ("SF6", 25200.0),
            )
        ),
        "activities": tuple(
            st.ActivityLine(f"s{n}", title, shop, item, quantity, unit, tier, share, 12, grams)
            for n, (title, shop, item, quantity, unit, tier, share, grams) in enumerate(
                (
                    (
                        T("外购电力", "Purchased electricity"),
                        None,
                        None,
                        211_884_000.0,
                        "kWh",
                        "metered",
                        0.0021,
                        GRAMS[4],
                    ),
                    (
                        T("涂装烘干炉", "Paint ovens"),
                        SHOPS[2][1],
                        T("天然气", "natural gas"),
                        9_203_441.5,
                        "Nm3",
                        "metered",
                        0.004,
                        GRAMS[0],
                    ),
                    (
                        T("厂内叉车", "Forklifts"),
                        SHOPS[3][1],
                        T("柴油", "diesel"),
                        412.75,
                        "t",
                        "invoiced",
                        0.0,
                        GRAMS[1],
                    ),
                    (
                        T("冷媒补充", "Refrigerant top-up"),
                        SHOPS[7][1],
                        T("R410A", "R410A"),
                        421.0,
                        "kg",
                        "estimated",
                        1.0,
                        GRAMS[3],
                    ),
                )
            )
        ),
        "quality": st.DataQuality(
            0.99871,
            0.934,
            0.0123,
            (
                st.Closure("E-000", T("总进线", "Main incomer"), 211_884_000.0, 209_120_400.0, "kWh", 0.013, True),
                st.Closure("G-000", T("天然气总表", "Gas main"), 21_300_211.0, 19_800_441.0, "Nm3", 0.0704, False),
            ),
            (
                st.Gap(
                    "E-031",
                    T("涂装空调", "Paint air supply"),
                    moment,
                    moment.replace(hour=9),
                    T("表码差按自身曲线分摊", "register difference spread by its own profile"),
                    18_220.0,
                    "kWh",
                ),
            ),
            gaps_more=3,
            remarks=(
                st.Remark(T("表计清零或更换", "reset"), T("焊装风机", "Body shop fan"), T("2025-04", "2025-04"), 1),
                st.Remark(
                    T("突变", "spike"),
                    T("其余 7 块表计", "7 other meters"),
                    T("2025-01 等 5 个月", "2025-01 and 4 more"),
                    31,
                ),
            ),
            notes=(
                T(
                    "E-017 于 2025-04-11 换表,读数重置已识别。",
                    "Meter E-017 was replaced on 2025-04-11; the reset was recognised.",
                ),
            ),
        ),
        "uncertainty": st.Uncertainty(
            T(
                "误差传递法(方法1),共享因子完全相关。",
                "Error propagation (approach 1); shared factors fully correlated.",
            ),
            0.043,
            tuple(
                line(key, title, grams, half)
                for (key, title, _s, _t), grams, half in zip(
                    CATEGORIES, GRAMS, (0.03, 0.06, 0.12, 0.31, 0.055, None), strict=True
                )
            ),
        ),
    }


@pytest.fixture(scope="session")
def full() -> st.Statement:
    """A statement of an invented plant with every part filled."""
    shop_cells = cells([row[0] for row in SHOPS], [row[2] for row in SHOPS])
    labels = [f"2025-{month:02d}" for month in range(1, 13)]
    month_cells = cells(labels, list(SEASON))
    energy = TOTAL - GRAMS[4] - GRAMS[5]
    classes = [("person", T("人", "Person")), ("machine", T("机", "Machine")), ("material", T("料", "Material"))]
    sources = [
        ("boiler", T("燃气锅炉", "Gas boilers")),
        ("oven", T("涂装烘干炉", "Paint ovens")),
        ("grid", T("外购电力", "Purchased electricity")),
    ]
    return st.Statement(
        organisation=st.OrganisationFacts(
            T("示例汽车有限公司", "Example Motors Co., Ltd."),
            T("示例汽车上海整车工厂", "Example Motors Shanghai Vehicle Plant"),
            "CN-上海",
            "示例汽车有限公司",
            "91310000MA1K00000X",
            "上海市嘉定区示例路 1 号",
            "汽车整车制造 C3611",
            "能源与碳管理部 张示例",
        ),
        boundary=st.BoundaryFacts(
            T("运营控制法", "operational control"),
            None,
            T(
                "位于上海的整车工厂,含四大工艺及动力总成、电池、压铸与公用动力。",
                "The vehicle plant in Shanghai with its four processes, powertrain, battery, casting and utilities.",
            ),
            T(
                "主要、辅助与附属生产系统,含食堂与办公楼。",
                "Main, auxiliary and attached production systems, canteen and offices included.",
            ),
            tuple((key, title) for key, title, _w in SHOPS),
            (
                st.Exclusion(
                    T("厂内灭火器", "Portable extinguishers"),
                    T("年检未充装,低于 0.01 %", "not refilled this year, below 0.01 %"),
                    0.00005,
                ),
            ),
            T(
                "按量级、影响力、风险与数据可得性打分,阈值见程序文件。",
                "Scored on magnitude, influence, risk and access to data; the threshold is documented.",
            ),
        ),
        period=st.PeriodFacts("2025", date(2025, 1, 1), date(2025, 12, 31), T("每年", "yearly")),
        standard=st.StandardFacts(
            "iso_14064_1_2018",
            T(
                "ISO 14064-1:2018 组织层次温室气体量化与报告",
                "ISO 14064-1:2018 Quantification and reporting at the organisation level",
            ),
            "ISO",
            "2018",
        ),
        regime="location",
        gwp_set="AR6",
        total_gco2e=TOTAL,
        categories=categories(),
        gases=gases(),
        regimes=(
            st.RegimeLine(
                "location",
                T("基于位置", "Location-based"),
                TOTAL - energy,
                TOTAL,
                T("全部用电 × 省级平均因子;计入总量。", "All electricity × provincial average; in the total."),
            ),
            st.RegimeLine(
                "market_annual",
                T("基于市场", "Market-based"),
                98_400 * TONNE,
                energy + 98_400 * TONNE,
                T(
                    "绿电合同覆盖部分按 0,其余按全国剔除市场化非化石因子。",
                    "Covered by contracts at 0, the rest at the national residual proxy.",
                ),
            ),
        ),
        production=st.Production(
            "0.1.0",
            HASH,
            18_412,
            (
                st.FactorSetLine("cn_t1", T("化石燃料参数", "Fossil fuels"), "2015 试行", "secondary"),
                st.FactorSetLine("grid_cn", T("电网因子", "Grid factors"), "公告2025-47", "verified"),
            ),
            tuple(st.Seal(label, HASH[::-1], 1534, datetime(2026, 1, 15, 1, 0, tzinfo=UTC)) for label in labels),
        ),
        issued_on=date(2026, 1, 15),
        time_zone="Asia/Shanghai",
        fictional=True,
        shops=lines([row[:2] for row in SHOPS], [sums(shop_cells, row[0]) for row in SHOPS]),
        sources=lines(sources, spread(TOTAL, [2, 3, 7])),
        months=lines(
            [(label, T(label[5:].lstrip("0") + "月", label[5:])) for label in labels],
            [sums(month_cells, label) for label in labels],
        ),
        classes=lines(classes, spread(TOTAL, [1, 80, 19])),
        shop_categories=shop_cells,
        month_categories=month_cells,
        apart=(
            st.ApartLine(
                "biogenic_co2",
                T("生物源 CO₂", "Biogenic CO₂"),
                210 * TONNE,
                "tCO2",
                T("不计入总量;其 CH₄ 与 N₂O 已计入。", "Not in the total; its CH₄ and N₂O are."),
            ),
            st.ApartLine("non_kyoto", T("HCFC-22(清单外气体)", "HCFC-22 (outside the inventory)"), 96 * TONNE, "tCO2e"),
        ),
        intensities=(
            st.Intensity(
                "vehicle",
                T("单车排放", "Per vehicle"),
                TOTAL / TONNE / 301_244,
                T("tCO2e/辆", "tCO2e/vehicle"),
                301_244.0,
                T("辆", "vehicles"),
            ),
            st.Intensity(
                "output",
                T("万元产值排放", "Per 10 000 yuan of output"),
                TOTAL / TONNE / 4_120_000,
                T("tCO2e/万元", "tCO2e/10⁴ CNY"),
                4_120_000.0,
                T("万元", "10⁴ CNY"),
            ),
            st.Intensity(
                "energy",
                T("单位能耗排放", "Per tonne of coal equivalent"),
                TOTAL / TONNE / 58_804.3,
                T("tCO2e/tce", "tCO2e/tce"),
                58_804.3,
                T("tce", "tce"),
            ),
        ),
        energy=st.EnergyTotal(
            58_804.3,
            92_113.0,
            (
                st.EnergyLine("electricity", T("电力", "Electricity"), 211_884_000.0, "kWh", 26_040.5),
                st.EnergyLine("gas", T("天然气", "Natural gas"), 24_001_000.0, "Nm3", 29_140.0),
                st.EnergyLine("heat", T("热力", "Heat"), 106_210.0, "GJ", 3_623.8),
            ),
        ),
        base_year=st.BaseYear(
            2025,
            TOTAL,
            T(
                "结构、方法、因子变化或累计误差超过 5 % 时重算。",
                "Recalculated when structure, method, factor or cumulative error changes it by more than 5 %.",
            ),
        ),
        **evidence(),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="session")
def bare() -> st.Statement:
    """The least a statement can say: every optional part is missing."""
    line = st.CategoryLine("1.1", T("固定燃烧源", "Stationary combustion"), 1, 5 * TONNE, 1.0)
    return st.Statement(
        organisation=st.OrganisationFacts(T("某厂", "A plant"), T("某厂", "A plant"), "CN-上海"),
        boundary=st.BoundaryFacts(T("运营控制法", "operational control")),
        period=st.PeriodFacts("2025-03", date(2025, 3, 1), date(2025, 3, 31)),
        standard=st.StandardFacts("iso_14064_1_2018", T("ISO 14064-1:2018", "ISO 14064-1:2018")),
        regime="location",
        gwp_set="AR6",
        total_gco2e=5 * TONNE,
        categories=(line,),
        gases=(st.GasLine("CO2", T("CO₂", "CO₂"), 5 * TONNE, 0),),
        regimes=(st.RegimeLine("location", T("基于位置", "Location-based"), 0, 5 * TONNE),),
        production=st.Production("0.1.0", HASH, 1),
        issued_on=date(2025, 4, 2),
        time_zone="Asia/Shanghai",
        fictional=False,
    )
