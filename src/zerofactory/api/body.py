"""The body of a request as it comes in: bounded, digested, and where it says it is JSON, JSON that can be read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import json_of

if TYPE_CHECKING:
    from starlette.types import Message, Receive


class Unread(Exception):
    """The rest of the body is not read: `Body.refusal` says why."""


@dataclass(slots=True)
class Body:
    """A body that is read piece by piece.

    Parameters
    ----------
    incoming : Receive
        What the server gives.
    most_bytes : int
        How many it may have, whether or not it says its length.
    is_json : bool
        Whether it is looked at as a whole before the application has its end: depth, numbers and keys as `notation` bounds them.
    as_is : bool
        Whether it is another program's, in its own terms (see `notation.json_of`).
    """

    incoming: Receive
    most_bytes: int
    is_json: bool
    as_is: bool = False
    digest: Any = field(default_factory=hashlib.sha256)
    refusal: tuple[int, tuple[Problem, ...]] | None = None
    _seen: bytearray = field(default_factory=bytearray)
    _size: int = 0

    async def receive(self) -> Message:
        """Return the next message; raise `Unread` when the body is refused."""
        message = await self.incoming()
        if message["type"] != "http.request":
            return message
        piece = message.get("body", b"")
        self._size += len(piece)
        self.digest.update(piece)
        if self._size > self.most_bytes:
            self.refusal = 413, (too_large(self.most_bytes),)
            raise Unread
        if self.is_json:
            self._seen += piece
            if not message.get("more_body", False):
                self._look()
        return message

    def _look(self) -> None:
        try:
            if self._seen.strip():
                json_of(bytes(self._seen), None, "request.json", as_is=self.as_is)
        except FaultyData as fault:
            self.refusal = 422, fault.problems
            raise Unread from fault


def too_large(most_bytes: int) -> Problem:
    """Return the fault of a body beyond its bound."""
    megabytes = most_bytes // 1_000_000
    text = Text(f"请求超过 {megabytes} MB。", f"The request is over {megabytes} MB.")
    return Problem("upload.large", text, Text("请分成几个文件。", "Split it."))


def says_json(content_type: str) -> bool:
    """Return whether a media type is JSON (RFC 6839, 3.1: the suffix counts).

    Examples
    --------
    >>> says_json("application/json; charset=utf-8"), says_json("application/cloudevents+json"), says_json("text/csv")
    (True, True, False)
    """
    essence = content_type.partition(";")[0].strip().lower()
    return essence == "application/json" or (essence.startswith("application/") and essence.endswith("+json"))
