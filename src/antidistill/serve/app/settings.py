"""How the server runs, apart from its policies."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass

from antidistill.errors import OutputError
from antidistill.serve.dialects.table import DIALECTS

_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Options:
    """How the server runs.

    Attributes:
        host, port: where it listens; port 0 takes a free one.
        metrics_port: where `/metrics` is answered; 0: nowhere.
        ollama: serve `/api/chat` too.
        signals: react to SIGTERM, SIGINT and SIGHUP.
    """

    host: str = "127.0.0.1"
    port: int = 8700
    metrics_port: int = 0
    ollama: bool = False
    signals: bool = True

    @property
    def routes(self) -> frozenset[str]:
        """Dialects that are served."""
        return frozenset(route for route in DIALECTS if self.ollama or route != "/api/chat")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OutputError: the address is taken, or may not be opened.
    """
    return _open(host, port, shared=False)


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """Sockets on one port, among which Linux spreads connections evenly; elsewhere one socket, `count` times.

    Raises:
        OutputError: the address is taken, by another server of this kind too, or may not be opened.
    """
    first = listen(host, port)
    if not hasattr(socket, "SO_REUSEPORT") or not sys.platform.startswith("linux"):
        return [first] * count
    own = first.getsockname()[1]
    first.close()
    return [_open(host, own, shared=True) for _ in range(count)]


def _open(host: str, port: int, shared: bool) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG, reuse_port=shared)
    except OSError as error:
        raise OutputError(
            f"{host}:{port} cannot be opened ({error.strerror}): choose another --host or --port."
        ) from error
