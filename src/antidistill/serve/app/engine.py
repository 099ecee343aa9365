"""The engine behind the proxy: one pool of connections, and attempts before the first byte only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from antidistill.errors import UpstreamError, UpstreamGone, UpstreamStalled
from antidistill.serve.operations import attempt
from antidistill.serve.operations.retries import RETRY_STATUSES
from antidistill.serve.policies import LimitSettings

Answer = aiohttp.ClientResponse
_READ_BYTES = 65_536


class Engine:
    """Asks the engine.

    Args:
        url: where it listens; a path before `/v1` is kept.
        limits: time to connect and to wait, attempts.
    """

    def __init__(self, url: str, limits: LimitSettings) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self._limits = limits
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=20),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            read_bufsize=_READ_BYTES,
            trust_env=False,
        )

    async def ask(
        self,
        method: str,
        path: str,
        headers: list[tuple[str, str]],
        body: bytes | None,
        on_retry: Callable[[], None] = lambda: None,
    ) -> Answer:
        """The head of the engine's answer; its body is still to be read, and the answer to be closed.

        Raises:
            UpstreamGone: it cannot be reached, or left before its answer.
            UpstreamStalled: it did not answer in time.
        """

        async def call() -> Answer:
            return await self._session.request(
                method,
                self.url + path,
                headers=headers,
                data=body,
                allow_redirects=False,
                skip_auto_headers=("User-Agent",),
            )

        def failed(answer: Answer) -> bool:
            if answer.status not in RETRY_STATUSES:
                return False
            answer.close()
            return True

        try:
            async with asyncio.timeout(self._limits.idle_seconds):
                return await attempt(
                    call,
                    retries=self._limits.retries,
                    failed=failed,
                    retryable=(aiohttp.ClientConnectionError,),
                    on_retry=on_retry,
                )
        except TimeoutError:
            raise UpstreamStalled("the engine did not answer in time.") from None
        except (aiohttp.ClientError, OSError) as error:
            raise upstream_error(error) from error

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()


def upstream_error(error: BaseException) -> UpstreamError:
    """What a failure of the connection means."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamGone("the engine cannot be reached.")
    if isinstance(error, TimeoutError):
        return UpstreamStalled("the engine said nothing for too long.")
    return UpstreamGone("the engine left before the end of its response.")
