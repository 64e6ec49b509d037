"""Sockets of the servers that a command starts: taken before the command tells anybody where to look."""

from __future__ import annotations

import errno
import socket

from zerofactory.errors import FaultyData, Problem, Text


def listening_at(host: str, port: int) -> socket.socket:
    """Return a socket that listens (any free port for 0); raise `FaultyData` where the address cannot be had."""
    try:
        return socket.create_server((host, port), family=_family(host), backlog=2048)
    except OSError as error:
        raise FaultyData([taken(host, port, error)]) from error


def free_port(host: str) -> int:
    """Return a port that nobody listens on."""
    with socket.socket(_family(host)) as one:
        one.bind((host, 0))
        return int(one.getsockname()[1])


def shown(host: str) -> str:
    """Return a host as it stands in an address.

    Examples
    --------
    >>> shown("127.0.0.1"), shown("::1")
    ('127.0.0.1', '[::1]')
    """
    return f"[{host}]" if ":" in host else host


def taken(host: str, port: int, error: OSError) -> Problem:
    """Return why an address cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        message = Text(f"端口 {port} 已被占用。", f"Port {port} is in use.")
    else:
        said = error.strerror or error
        message = Text(f"不能在 {shown(host)}:{port} 上服务: {said}", f"{shown(host)}:{port} cannot be served: {said}")
    hint = Text(
        "请用 --port 换一个(1024 以上), 或核对 --host。", "Choose another with --port (above 1023), or check --host."
    )
    return Problem("serve.port", message, hint)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
