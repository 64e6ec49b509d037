"""What goes wrong, as ``application/problem+json`` (RFC 9457): every fault at once, in both languages, with its place."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from zerofactory.api.language import language_of
from zerofactory.errors import BookBroken, BookClosed, FaultyData, NotFound, Problem, Text, ZeroFactoryError
from zerofactory.runs.access import Refused
from zerofactory.store.postgres_faults import NOT_THE_CALLERS
from zerofactory.wording import place_of, worded

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: Text("请求不完整", "Bad request"),
    401: Text("请先登录", "Log in first"),
    403: Text("没有权限", "Not allowed"),
    404: Text("没有找到", "Not found"),
    405: Text("不支持这种请求", "Method not allowed"),
    409: Text("与现状冲突", "Conflict"),
    412: Text("已被他人修改", "Precondition failed"),
    413: Text("文件太大", "Too large"),
    415: Text("文件类型不对", "Unsupported media type"),
    422: Text("数据有问题", "The data have faults"),
    428: Text("缺少前提条件", "Precondition required"),
    429: Text("请求太频繁", "Too many requests"),
    500: Text("程序出错", "Internal error"),
    503: Text("账本正忙", "Busy"),
    507: Text("磁盘已满", "Disk full"),
}
PACT_CODES = {403: "AccessDenied", 404: "NotFound", 500: "InternalError", 503: "InternalError", 507: "InternalError"}
_log = logging.getLogger("zerofactory.api")


class Fault(Exception):
    """An answer other than success, decided in the door itself."""

    def __init__(self, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        self.status, self.problem, self.headers = status, problem, headers
        super().__init__(problem.sentence("en"))


def fault(status: int, code: str, zh: str, en: str, headers: dict[str, str] | None = None) -> Fault:
    """Return a fault with one sentence."""
    return Fault(status, Problem(code, Text(zh, en), Text("", "")), headers)


def answer(
    request: Request, status: int, problems: Sequence[Problem], headers: dict[str, str] | None = None
) -> Response:
    """Return the problem document of some problems."""
    if request.url.path.startswith("/3/"):  # the form that partners know (PACT API 3.0.4, Error)
        told = " ".join(problem.message.en for problem in problems[:3])
        return JSONResponse({"code": PACT_CODES.get(status, "BadRequest"), "message": told}, status, headers=headers)
    if request.url.path.startswith("/aas/"):  # the form that AAS clients know (IDTA 01002-3-0, Result)
        messages = [
            {"messageType": "Error", "code": str(status), "text": problem.sentence("en")} for problem in problems
        ]
        return JSONResponse({"messages": messages}, status, headers=headers)
    language = language_of(request)
    title = TITLES.get(status, TITLES[500])
    body: dict[str, Any] = {
        "type": f"urn:zerofactory:problem:{problems[0].code if problems else 'internal'}",
        "title": title.in_language(language),
        "status": status,
        "detail": " ".join(problem.sentence(language) for problem in problems[:3]),
        "instance": request.url.path,
        "problems": [problem.as_json() for problem in problems],
    }
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every exception of the application a problem document."""
    app.add_exception_handler(Fault, _fault)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ZeroFactoryError, _own)
    app.add_exception_handler(OSError, _system)
    for kind in (UnicodeError, OverflowError, RecursionError):
        app.add_exception_handler(kind, _absurd)
    app.add_exception_handler(Exception, _unforeseen)


def _fault(request: Request, error: Exception) -> Response:
    assert isinstance(error, Fault)  # noqa: S101  (registered for this type alone)
    return answer(request, error.status, [error.problem], error.headers)


def _own(request: Request, error: Exception) -> Response:
    if isinstance(error, FaultyData):
        if error.problems and error.problems[0].code in NOT_THE_CALLERS:
            return _store(request, error.problems[0])
        return answer(request, 422, error.problems)
    if isinstance(error, NotFound):
        return answer(request, 404, [error.as_problem()])
    if isinstance(error, BookClosed):
        text = Text(f"期间 {error.period} 已封存。", f"Period {error.period} is closed already.")
        hint = Text("要更正请带原因修订(revise)。", "To correct it, revise with a reason.")
        return answer(request, 409, [Problem("close.already_closed", text, hint)])
    if isinstance(error, BookBroken):
        return answer(request, 409, error.problems)
    if isinstance(error, Refused):
        status = 429 if error.retry_seconds else 401
        return answer(
            request, status, [error.problem], {"Retry-After": str(error.retry_seconds)} if error.retry_seconds else None
        )
    return _unforeseen(request, error)


def _store(request: Request, problem: Problem) -> Response:
    """Answer that the records cannot be reached now; where they are stands in the log alone."""
    _log.error("%s %s: %s", request.method, request.url.path, problem.sentence("en"))
    told = Text(
        "账本的数据库暂时用不了, 请稍后再试。", "The database of the book cannot be used now; try again in a moment."
    )
    asked = Text("一直如此请联系管理员。", "If it stays so, ask your administrator.")
    status = 507 if problem.code == "store.full" else 503
    return answer(request, status, [Problem(problem.code, told, asked)], {"Retry-After": "5"})


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (registered for this type alone)
    problems = [
        Problem(
            f"request.{one['type']}",
            worded(one),
            Text("请对照 /v1/docs 的说明。", "See /v1/docs."),
            column=place_of(one),
        )
        for one in error.errors()
    ]
    return answer(request, 422, problems)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for this type alone)
    title = TITLES.get(error.status_code, TITLES[500])
    problem = Problem(f"http.{error.status_code}", Text(f"{title.zh}。", f"{title.en}."), Text("", ""))
    return answer(request, error.status_code, [problem], dict(error.headers or {}))


def _absurd(request: Request, error: Exception) -> Response:
    """Answer text that cannot be written down, a number or a day beyond all bounds, or brackets a thousand deep."""
    _log.warning("%s %s: %s", request.method, request.url.path, type(error).__name__)
    told = Text("请求里有无法处理的文字或数字。", "The request holds text or a number that cannot be handled.")
    return answer(request, 422, [Problem("request.absurd", told, Text("请检查输入。", "Check what you sent."))])


def _system(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)  # noqa: S101  (registered for this type alone)
    if error.errno == errno.ENOSPC:
        full = Problem(
            "system.full", Text("磁盘已满, 没有写入。", "The disk is full; nothing was written."), Text("", "")
        )
        return answer(request, 507, [full])
    return _unforeseen(request, error)


def _unforeseen(request: Request, error: Exception) -> Response:
    cause = getattr(error, "orig", error)
    if isinstance(cause, sqlite3.OperationalError) and "locked" in str(cause):
        busy = Text("账本正被另一个操作使用, 请稍后再试。", "The book is in use; try again in a moment.")
        return answer(request, 503, [Problem("store.busy", busy, Text("", ""))], {"Retry-After": "2"})
    _log.exception("%s %s", request.method, request.url.path, exc_info=error)
    told = Text(
        "程序出错, 已记入日志; 没有写入半截数据。", "An internal error, noted in the log; nothing was half-written."
    )
    return answer(request, 500, [Problem("internal", told, Text("请联系管理员。", "Ask your administrator."))])
