"""What a PostgreSQL server refuses, as problems: by its SQLSTATE, with the way out. No password stands in any of them.

The codes are those of PostgreSQL's documentation, Appendix A "PostgreSQL Error Codes".
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, quote_plus

import sqlalchemy as sa

from zerofactory.errors import Problem, Text

HIDDEN = "***"
_ASK = Text("请联系数据库管理员。", "Ask who runs the database.")
_AWAY = Text(
    "请检查服务器是否运行、地址与网络, 然后重试。已入账的内容不受影响。",
    "Check that the server runs, its address and the network, then try again. What was booked is safe.",
)
_AGAIN = Text("请等它结束后再试。", "Wait until it has ended and try again.")
_MOVED = Text(
    "请核对 ZF_DATABASE_URL 是否为原来的数据库; 账本若已迁走, 请用迁移后的文件夹。",
    "Check that ZF_DATABASE_URL names the same database; if the book has moved, use the folder it moved to.",
)


def unreadable() -> Problem:
    """Return the problem of an address that is none of PostgreSQL; nothing of it is repeated, for it may hold a password."""
    return Problem(
        "store.address_unreadable",
        Text("环境变量 ZF_DATABASE_URL 不是 PostgreSQL 地址。", "ZF_DATABASE_URL is not an address of PostgreSQL."),
        Text(
            "请写成 postgresql://用户:口令@主机:5432/数据库; 口令里的特殊字符用 %XX。",
            "Write it as postgresql://user:password@host:5432/database; special characters of a password as %XX.",
        ),
    )


def busy() -> Problem:
    """Return the problem of a book that another operation writes to for longer than one waits."""
    return _problem("store.busy", "账本正被另一个操作使用。", "The book is in use by another command.", _AGAIN)


def nul() -> Problem:
    """Return the problem of a text that PostgreSQL cannot hold."""
    return Problem(
        "store.nul",
        Text("文字里有空字符(U+0000), 不能入库。", "A text holds the character U+0000, which cannot be stored."),
        Text("请去掉它。", "Take it out."),
    )


def unfit() -> Problem:
    """Return the problem of a value that no column of the kind asked for can hold."""
    return Problem(
        "store.unfit",
        Text("数字或文字超出了数据库能存的范围。", "A number or a text is beyond what the database can hold."),
        Text("请检查输入。", "Check what you gave."),
    )


def no_driver() -> Problem:
    """Return the problem of a missing driver."""
    return Problem(
        "store.no_driver",
        Text("没有安装 PostgreSQL 驱动 psycopg。", "The driver of PostgreSQL, psycopg, is not installed."),
        Text('请运行 pip install "zerofactory[postgres]"。', 'Run pip install "zerofactory[postgres]".'),
    )


def problem_of(error: BaseException, url: sa.URL, where: str) -> Problem | None:
    """Return what a server refused, or that it is away, as a problem; None when the error is another kind."""
    cause = getattr(error, "orig", None) or error
    if isinstance(error, sa.exc.TimeoutError):
        return busy()
    if type(cause).__module__.partition(".")[0] != "psycopg":
        return None
    state = str(getattr(cause, "sqlstate", None) or "")
    if not state and "connection option" in str(cause):
        return unreadable()
    if "NUL (0x00)" in str(cause):
        return nul()
    if state.startswith("22"):  # data exception: a number beyond bounds, text that is none
        return unfit()
    place = f"{shown(url)} ({where})"
    state = state or next((code for code, words in _AT_THE_DOOR if any(word in str(cause) for word in words)), "")
    known = _KNOWN.get(state) or _KNOWN.get(state[:2])
    if known is None and _is_operational(cause):
        known = ("store.away", "连不上 PostgreSQL", "PostgreSQL cannot be reached", _AWAY)
    if known is None:
        return None
    code, zh, en, hint = known
    said = scrubbed(str(cause).partition("\n")[0], url)
    return _problem(code, f"{zh}: {place}。{said}", f"{en}: {place}. {said}", hint)


NOT_THE_CALLERS = frozenset(  # what a user of a server can only wait for; its address is nobody's business but the owner's
    f"store.{name}"
    for name in (
        "away", "busy", "full", "read_only", "not_let_in", "no_database", "no_right", "no_driver", "book_missing",
        "address_unreadable", "no_address", "two_places", "older_book", "newer_book", "name_unreadable",
    )
)  # fmt: skip
_KNOWN: dict[str, tuple[str, str, str, Text]] = {
    "08": ("store.away", "连不上 PostgreSQL", "PostgreSQL cannot be reached", _AWAY),
    "57": ("store.away", "PostgreSQL 中断了操作", "PostgreSQL broke the work off", _AWAY),
    "28": (
        "store.not_let_in", "PostgreSQL 拒绝了登录", "PostgreSQL refused the login",
        Text("请检查用户名与口令(ZF_DATABASE_URL、PGPASSWORD 或 ~/.pgpass)。", "Check user and password (ZF_DATABASE_URL, PGPASSWORD or ~/.pgpass)."),
    ),
    "3D000": ("store.no_database", "没有这个数据库", "There is no such database", Text("请先建库: createdb。", "Make it first: createdb.")),
    "3F000": ("store.book_missing", "数据库里没有这个账本", "The database has no such book", _MOVED),
    "42P01": ("store.book_missing", "数据库里没有这个账本, 或缺表", "The database has no such book, or lacks a table", _MOVED),
    "42501": ("store.no_right", "数据库用户没有权限", "The user of the database lacks a right", _ASK),
    "53100": ("store.full", "数据库磁盘已满", "The disk of the database is full", _ASK),
    "53": ("store.busy", "数据库没有余力", "The database has no room for more", _AGAIN),
    "55P03": ("store.busy", "账本正被另一个操作使用", "The book is in use by another command", _AGAIN),
    "40": ("store.busy", "与另一个操作冲突", "It clashed with another command", _AGAIN),
    "25006": ("store.read_only", "数据库只读", "The database is read-only", _ASK),
}  # fmt: skip


_AT_THE_DOOR = (  # while connecting the driver has words and no code
    ("28P01", ("authentication failed", "no password supplied", "pg_hba.conf", 'role "')),
    ("3D000", ('database "',)),
    ("53300", ("too many clients", "remaining connection slots")),
    ("57P03", ("starting up", "shutting down")),
)


def shown(url: sa.URL) -> str:
    """Return an address without password and parameters.

    Examples
    --------
    >>> shown(sa.make_url("postgresql://ann:secret@db.example:5433/zf?sslmode=require&password=secret"))
    'postgresql://ann@db.example:5433/zf'
    """
    host = url.host or ""
    host = f"[{host}]" if ":" in host else host
    who = f"{url.username}@" if url.username else ""
    return f"postgresql://{who}{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def scrubbed(said: str, url: sa.URL) -> str:
    """Return what a driver said without the password, however it was written.

    Examples
    --------
    >>> scrubbed("no such host s3cret@db", sa.make_url("postgresql://ann:s3cret%40db@x/zf"))
    'no such host ***'
    """
    secrets: list[Any] = [url.password, *(value for name, value in url.query.items() if "pass" in name)]
    for secret in (str(one) for one in secrets if one):
        for written in (secret, quote(secret, safe=""), quote_plus(secret)):
            said = said.replace(written, HIDDEN)
    return said


def _is_operational(cause: object) -> bool:
    return any(kind.__name__ in ("OperationalError", "InterfaceError") for kind in type(cause).__mro__)


def _problem(code: str, zh: str, en: str, hint: Text) -> Problem:
    return Problem(code, Text(zh, en), hint)
