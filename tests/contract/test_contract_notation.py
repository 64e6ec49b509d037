"""TOML, JSON and YAML through one door: what is sound comes out as the libraries read it, all else is told with its line."""

from __future__ import annotations

import contextlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.test_contract_wording import CHINESE

from zerofactory.errors import FaultyData, Problem
from zerofactory.notation import LARGEST, LEAST, MOST_DEPTH, MOST_TOML_BYTES, json_of, text_of, toml_of, yaml_of
from zerofactory.site.edit import written_value

SOURCE = Path(__file__).resolve().parents[2] / "src" / "zerofactory"
OTHER = "写法不对"  # what is said where a library says something new
SYNTAX = {
    "x": (1, "键的后面缺少等号"),
    "x = ": (1, "等号后没有能读懂的值"),
    "x = yes": (1, "等号后没有能读懂的值"),
    "a = 1\nx = 1 2": (2, "值的后面还有多余的字"),
    "x = 2025-13-45": (1, "值的后面还有多余的字"),
    "x = 2025-02-30": (1, "没有这个日期"),
    "= 1": (1, "既不是“键 = 值”也不是“[表]”"),
    "a. = 1": (1, "这里应是一个键"),
    "[a\n": (1, "表名的后面缺少右方括号"),
    "[[a]\n": (1, "表名的后面缺少右方括号"),
    "x = [1\n\n": (2, "列表缺少"),
    "x = {a = 1\n": (1, "花括号里缺少"),
    "x = {a = 1, a = 2}": (1, "键 'a' 写了两次"),
    "a = 1\na = 2\n": (2, "同一个键写了两次"),
    "[a]\n[b]\n[a]\n": (3, "表 'a' 写了两次"),
    "a = {}\n[a.b]\n": (2, "写了两次"),
    'x = "a': (1, "缺少结束的引号"),
    "x = 'a": (1, "缺少结束的引号"),
    'x = """a': (1, "缺少结束的引号"),
    'x = "a\nb"': (1, "缺少结束的引号"),
    'x = "C:\\q"': (1, "反斜杠要写成两个"),
    'x = "\\u12"': (1, "十六进制数不对"),
    'x = "\\ud800"': (1, "不是一个字符"),
    'x = "a\x07"': (1, "文字里不能有字符"),
    "# a\x07\n": (1, "不能有字符"),
    "a = 1\n\nb = \0": (3, "空字符"),
    "a = 1\nb = " + "9" * 401: (2, "数字太长"),
    "a = 1\nb = " + "[" * 600: (2, "套得太深"),
}
JSON_SYNTAX = {
    "": "这里应是一个值", "{": "加双引号的键", '{"a"': "缺少冒号", "[1 2]": "缺少逗号", '"a': "缺少结束的引号", '"\n"': "换行或控制字符",
    '"\\x"': "反斜杠后面的字符不对", '"\\u12"': "十六进制数不对", "1 2": "结束之后还有多余的字", "[1,]": "这里应是一个值",
}  # fmt: skip
PLAIN = st.recursive(
    st.booleans() | st.integers(LEAST, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"\A[a-z_-]{1,6}\Z"), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
# Who reads TOML besides the door: what comes with the package, and parts of a text that came through it.
TOML_OF_THE_PACKAGE = {
    "notation.py", "factors/load.py", "site/edit.py", "site/template.py", "assets/weather_year.py", "instruments/neutrality.py",
    "monitoring/cover.py", "reference_plant/documents.py", "reference_plant/generate.py", "reference_plant/mess.py",
    "reference_plant/totals.py", "reporting/form.py", "runs/simulate.py",
}  # fmt: skip


def told(read: Any, text: str) -> Problem:
    with pytest.raises(FaultyData) as caught:
        read(text, "a.file")
    (found,) = caught.value.problems
    assert found.file == "a.file"
    assert CHINESE.search(found.message.zh)
    assert not CHINESE.search(found.message.en)
    return found


@pytest.mark.parametrize("text", SYNTAX, ids=lambda text: repr(text)[:24])
def test_wrong_toml_is_told_with_its_line(text: str) -> None:
    row, said = SYNTAX[text]
    found = told(toml_of, text)
    assert said in found.message.zh
    assert OTHER not in found.message.zh
    assert found.row == row


@pytest.mark.parametrize("text", JSON_SYNTAX)
def test_wrong_json_is_told(text: str) -> None:
    found = told(json_of, text)
    assert JSON_SYNTAX[text] in found.message.zh
    assert found.row is not None


@given(document=st.dictionaries(st.from_regex(r"\A[a-z]{1,6}\Z"), PLAIN, max_size=4))
@settings(max_examples=60)
def test_what_is_sound_comes_out_as_the_libraries_read_it(document: dict[str, Any]) -> None:
    as_toml = "".join(f"{key} = {written_value(value)}\n" for key, value in document.items())
    assert toml_of(as_toml, "a.toml") == tomllib.loads(as_toml) == document
    as_json = json.dumps(document, ensure_ascii=False)
    assert json_of(as_json, "a.json") == json_of(b"\xef\xbb\xbf" + as_json.encode(), "a.json") == document
    as_yaml = yaml.safe_dump(document, allow_unicode=True)
    assert yaml_of(as_yaml, "a.yaml") == yaml.safe_load(as_yaml)


@given(text=st.text(alphabet="[]{}\"'#=.,:\\\n -&*!?|>%@abu019eé\ud800\x00\x07", max_size=40))
@settings(max_examples=300)
def test_any_text_is_data_or_a_fault(text: str) -> None:
    for read in (toml_of, json_of, yaml_of):
        with contextlib.suppress(FaultyData):
            read(text, "a.file")


def test_bounds_hold_at_the_bound() -> None:
    deep = MOST_DEPTH - 1
    assert toml_of(f"x = {'[' * deep}{']' * deep}", "a.toml")
    assert toml_of(f"{'a.' * deep}a = {LARGEST}\nb = {LEAST}", "a.toml")
    assert told(toml_of, f"x = {LARGEST + 1}").column == "x"
    assert told(toml_of, f"y = [1, {LEAST - 1}]").column == "y.1"
    assert told(toml_of, "#" * (MOST_TOML_BYTES + 1)).message.zh == "不是有效的 TOML: 文件太大(至多 16 MB)。"
    assert toml_of(f"x = '{'.' * 500} {'[' * 500} {'9' * 500}' # {'[' * 500}\ny = [{'0.1, ' * 500}]", "a.toml")
    with pytest.raises(FaultyData) as caught:
        text_of("第一行\n".encode("gb18030"), "a.toml")
    assert caught.value.problems[0].row == 1


def lines_with(*signs: str) -> dict[str, list[str]]:
    """Return the lines of code that hold a sign, by file; examples in docstrings do not count."""
    found: dict[str, list[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if any(sign in line for sign in signs) and not line.lstrip().startswith((">>>", "...")):
                found.setdefault(str(path.relative_to(SOURCE)), []).append(line.strip())
    return found


def test_files_of_users_come_through_the_door() -> None:
    new = {
        name: line
        for name, lines in lines_with("tomllib.loads(").items()
        for line in lines
        if name not in TOML_OF_THE_PACKAGE and "files(" not in line and "_packaged(" not in line
    }
    assert new == {}
    assert set(lines_with("yaml.load(", "yaml.safe_load(")) == {"notation.py", "planning/read.py", "standards/load.py"}


def test_no_fault_repeats_what_a_library_says_in_english() -> None:
    """The message of a pydantic error stands in no code of ours; `zerofactory.wording` has the words."""
    assert lines_with('["msg"]', "['msg']") == {}
