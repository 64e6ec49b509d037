"""The sentences that go with a choice: why this factor, what was passed over, what the plant must decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from zerofactory.errors import Problem, Text
from zerofactory.factors.model import Factor, FactorBook, Found
from zerofactory.factors.vocabulary import Role, region, role

if TYPE_CHECKING:
    from zerofactory.factors.scope import Scope

AMBIGUOUS = Text("有几个同样合适的因子。", "several factors are equally fit.")
NONE = Text("没有这种因子。", "there is no such factor.")
ONLY_NAMED = Text("只有须由工厂点名才能使用的因子。", "only factors that the plant must name can serve.")
_LEVELS = {
    "province": Text("省级", "provincial"),
    "region": Text("区域级", "regional"),
    "nation": Text("全国级", "national"),
    "world": Text("全球", "world-wide"),
}
_SHOWN = 6


def join(parts: Iterable[Text]) -> Text:
    """Return the sentences one after another."""
    listed = [part for part in parts if part.zh or part.en]
    return Text("".join(part.zh for part in listed), " ".join(part.en for part in listed))


def reason(book: FactorBook, factor: Factor, scope: Scope, candidates: Sequence[Factor]) -> Text:
    """Return why a factor was chosen: place, years, edition, publication, what was passed over, the role's rule."""
    rules = role(factor.role)
    return join((_place(book, factor, rules), _edition(book, factor), _years(factor, scope),
                 _passed_over(book, factor, scope, candidates), rules.rule))  # fmt: skip


def product(book: FactorBook, found: Sequence[Found], scope: Scope) -> Text:
    """Return the reasons of a product's terms: values first, each edition once; a special choice keeps its sentence."""
    pinned_ids = {factor_id for factor_id, _ in scope.pins.values()}
    plain = [entry for entry in found if entry.factor.confidence != "low" and entry.factor.id not in pinned_ids]
    special = [entry.reason for entry in found if entry not in plain]
    values = [_value(entry.factor) for entry in plain]
    listed = Text("; ".join(text.zh for text in values), "; ".join(text.en for text in values))
    ended = Text(f"{listed.zh}。", f"{listed.en}.") if values else Text("", "")
    return join((ended, *dict.fromkeys(_source(book, entry.factor) for entry in plain), *special))


def _value(factor: Factor) -> Text:
    title, number = role(factor.role).title, f"{factor.value_text or factor.value} {factor.unit}"
    place = region(factor.region).title
    return Text(f"{title.zh}({place.zh}){number}", f"{title.en} ({place.en}) {number}")


def pinned(book: FactorBook, factor: Factor, scope: Scope, why: str) -> Text:
    """Return the reason of a pinned factor."""
    said = Text(f"工厂指定用 {factor.id}: {why}。", f"The plant pinned {factor.id}: {why}.")
    year, reporting = factor.factor_year, scope.on.year
    years = Text(f"因子年{year},报告年{reporting}。", f"Factor year {year}, reporting year {reporting}.")
    rules = role(factor.role)
    return join(
        (said, _place(book, factor, rules), _edition(book, factor), years if year else Text("", ""), rules.rule)
    )


def accepted(why: str) -> Text:
    """Return the sentence about a low-confidence factor that the plant accepted."""
    return Text(f"可信度低,工厂已按编号接受: {why}。", f"Low confidence, accepted by the plant by name: {why}.")


def doubtful(factor: Factor) -> Text:
    """Return the warning that goes with a low-confidence factor before a period is closed."""
    note = f" ({factor.note})" if factor.note else ""
    return Text(
        f"可信度低{note},关账前须由工厂按编号接受或更换。",
        f"Low confidence{note}: to be accepted by name or replaced before closing.",
    )


def _place(book: FactorBook, factor: Factor, rules: Role) -> Text:
    place = region(factor.region)
    level, title_en = _LEVELS[place.level], rules.title.en[0].upper() + rules.title.en[1:]
    if rules.place == "level":
        return Text(f"{place.title.zh}{level.zh}{rules.title.zh}。", f"{title_en}, {place.title.en} ({level.en}).")
    foreign = book.sets[factor.set_id].applies == "anywhere" and place.level != "world"
    borrowed = (
        Text(",缺省表,无本地值时通用", ", a default table used where no local value exists")
        if foreign
        else Text("", "")
    )
    return Text(f"{rules.title.zh},{place.title.zh}{borrowed.zh}。", f"{title_en}, {place.title.en}{borrowed.en}.")


def _edition(book: FactorBook, factor: Factor) -> Text:
    number, source = f"{factor.value_text or factor.value} {factor.unit}", _source(book, factor)
    return Text(f"数值{number}。{source.zh}", f"{number}. {source.en}")


def _source(book: FactorBook, factor: Factor) -> Text:
    factor_set = book.sets[factor.set_id]
    day = factor.published_on
    zh = f"{day}公布" if day else "公布日不详,视为一直可用"
    en = f"published {day}" if day else "publication day unknown, taken as always known"
    return Text(
        f"出自《{factor_set.title.zh}》({factor_set.edition}),{zh}。",
        f"From '{factor_set.title.en}' ({factor_set.edition}), {en}.",
    )


def _years(factor: Factor, scope: Scope) -> Text:
    if factor.factor_year is None or not factor.role.startswith("grid."):
        return Text("", "")
    known = scope.known_at
    zh, en = (f"{known}(含)之前", f"by {known}") if known else ("至今", "to date")
    behind = factor.factor_year < scope.on.year
    later_zh = ",报告年因子公布后可重述" if behind else ""
    later_en = "; restate when the factor of the reporting year is released" if behind else ""
    return Text(
        f"因子年{factor.factor_year},报告年{scope.on.year}:取{zh}已公布、不晚于报告年的最新官方因子{later_zh}。",
        f"Factor year {factor.factor_year}, reporting year {scope.on.year}: the newest official factor published {en} "
        f"and not later than the reporting year{later_en}.",
    )


def _passed_over(book: FactorBook, factor: Factor, scope: Scope, candidates: Sequence[Factor]) -> Text:
    """Return what else there was in the same place: not yet published, later than the activity, older."""
    same = [other for other in candidates if other.region == factor.region and other.id != factor.id]
    unseen = [other for other in same if other.holds_by(scope.on) and not other.known_on(scope.known_at)]
    older = [f for f in same if f.known_on(scope.known_at) and (f.factor_year or 0) < (factor.factor_year or 0)]
    sentences = [
        Text(
            f"当时尚未公布: {other.id}({other.value_text},{book.sets[other.set_id].title.zh},{other.published_on}公布)。",
            f"Not yet published then: {other.id} ({other.value_text}, {book.sets[other.set_id].title.en}, "
            f"published {other.published_on}).",
        )
        for other in unseen
    ]
    if older and factor.role.startswith("grid."):
        years = sorted({other.factor_year or 0 for other in older}, reverse=True)
        sentences.append(
            Text(f"较旧而未取: {'、'.join(map(str, years))}年。", f"Older, passed over: {', '.join(map(str, years))}.")
        )
    return join(sentences)


def no_place(plant_region: str, level: str | None) -> Text:
    """Return the fact that no factor is of the plant's place."""
    title = region(plant_region).title
    if level is None:
        return Text(f"没有适用于{title.zh}的因子。", f"no factor applies to {title.en}.")
    rank = _LEVELS[level]
    return Text(
        f"{title.zh}没有{rank.zh}因子,也不自动改用其他级别。",
        f"{title.en} has no {rank.en} factor, and another level is never used instead.",
    )


def unknown_table(family: str, families: Sequence[str]) -> Problem:
    """Return the problem of a name in ``fuel_sets`` that is no table."""
    known = ", ".join(families)
    return Problem(
        code="factors.unknown_table",
        message=Text(
            f"accounting.fuel_sets 中的“{family}”不存在。",
            f"accounting.fuel_sets names '{family}', which does not exist.",
        ),
        hint=Text(f"可选: {known}。", f"Choose from: {known}."),
        column="accounting.fuel_sets",
    )


def no_set(fuel_sets: Sequence[str], families: Sequence[str]) -> Text:
    """Return the fact that none of the plant's fuel sets has the fuel."""
    return Text(
        f"工厂所选参数集 {', '.join(fuel_sets)} 没有;有的是 {', '.join(families)}。",
        f"the plant's fuel_sets {', '.join(fuel_sets)} do not have it; {', '.join(families)} do.",
    )


def no_time(on: date, known_at: date | None) -> Text:
    """Return the fact that the factors of the place are later than the question."""
    zh, en = (f"、{known_at}已公布", f" and published by {known_at}") if known_at else ("", "")
    return Text(f"没有在{on}有效{zh}的因子。", f"none held on {on}{en}.")


def pin_unknown(factor_id: str) -> Text:
    """Return the fact that a pin names nothing."""
    return Text(f"指定的因子 {factor_id} 不存在。", f"the pinned factor {factor_id} does not exist.")


def pin_role(factor: Factor, wanted: Role) -> Text:
    """Return the fact that a pin is of another role, with that role's rule."""
    given = role(factor.role)
    return Text(
        f"指定的 {factor.id} 是“{given.title.zh}”({given.id}),不能当作“{wanted.title.zh}”。{given.rule.zh}",
        f"the pinned {factor.id} is for '{given.title.en}' ({given.id}), not for '{wanted.title.en}'. {given.rule.en}",
    )


def pin_item(factor: Factor, item: str) -> Text:
    """Return the fact that a pin is of another item."""
    return Text(
        f"指定的 {factor.id} 属于 {factor.item},不是 {item}。",
        f"the pinned {factor.id} is of {factor.item}, not of {item}.",
    )


def pin_time(factor: Factor, on: date, known_at: date | None) -> Text:
    """Return the fact that a pinned factor did not hold, or was not known."""
    if not factor.holds_by(on):
        return Text(
            f"指定的 {factor.id} 自{factor.valid_from or '…'}至{factor.valid_to or '…'}有效,不覆盖{on}。",
            f"the pinned {factor.id} holds from {factor.valid_from or '...'} to {factor.valid_to or '...'}, not on {on}.",
        )
    return Text(
        f"指定的 {factor.id} 于{factor.published_on}公布,晚于{known_at}。",
        f"the pinned {factor.id} was published on {factor.published_on}, after {known_at}.",
    )


def low_confidence(factor: Factor) -> Problem:
    """Return the problem of a low-confidence factor in a period that is to be closed."""
    zh, en = (f"附注: {factor.note}。", f" Note: {factor.note}.") if factor.note else ("", "")
    entry = f'[[accounting.accept]] factor = "{factor.id}", reason = "…"'
    return Problem(
        code="factors.low_confidence",
        message=Text(
            f"因子 {factor.id}({factor.title.zh},{factor.value_text} {factor.unit})可信度低,不能用于要关账的期间。{zh}",
            f"Factor {factor.id} ({factor.title.en}, {factor.value_text} {factor.unit}) is of low confidence and not "
            f"used for a period that is to be closed.{en}",
        ),
        hint=Text(
            f"换成有依据的因子,或在 factory.toml 中按编号接受并写明理由: {entry}。",
            f"Use a better founded factor, or accept it by name with a reason in factory.toml: {entry}.",
        ),
    )


def hint(role_id: str, item: str | None, choices: Sequence[Factor]) -> Text:
    """Return how the plant decides: the choices and the pin that takes one."""
    if not choices:
        return Text(
            "请在 factors/*.csv 中加入工厂自有因子并指定它。", "Add the plant's own factor in factors/*.csv and pin it."
        )
    listed = "; ".join(f"{f.id} = {f.value_text or f.value} {f.unit}" for f in choices[:_SHOWN])
    key = f"{role_id}:{item}" if item else role_id
    entry = f'[[accounting.pin]] role = "{key}", factor = "…", reason = "…"'
    first_zh, first_en = "", ""
    if role(role_id).place == "level":
        first_zh, first_en = "改 accounting.grid_level,或", "Set accounting.grid_level, or pin one: "
    elif role(role_id).ranked:
        first_zh, first_en = (
            "在 accounting.fuel_sets 中加入其参数集,或",
            "Add its table to accounting.fuel_sets, or pin one: ",
        )
    return Text(f"可选: {listed}。{first_zh}用 {entry} 指定。", f"Choices: {listed}. {first_en or 'Pin one: '}{entry}.")
