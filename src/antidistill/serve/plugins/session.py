"""What all plug-ins share: who asks for what, how the answer is guarded, and how originals come back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from antidistill.errors import Refused
from antidistill.serve.dialects.stream import GuardedStream
from antidistill.serve.dialects.table import DIALECTS
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.lane import Guard
from antidistill.serve.guard.parts import Part, Remember, joined
from antidistill.serve.policies import Client, LimitSettings, Policy, PolicyBook
from antidistill.serve.side_channels.echoes import Echoes
from antidistill.serve.side_channels.requests import Asked
from antidistill.serve.turns import Turns, turns_of


class Session:
    """Guards one response.

    Args:
        policy: with a defense.
        limits: sizes.
        asked: the request that is answered; its prompt is what the edits depend on.
        route: whose dialect the answer is in.
        turns: keeps originals; None: they are forgotten.
        tenant: whom they are kept for.

    Raises:
        Refused: no dialect is known for the route, so that nothing could be guarded (501).
    """

    def __init__(
        self, policy: Policy, limits: LimitSettings, asked: Asked, route: str, turns: Turns | None, tenant: str
    ) -> None:
        if route not in DIALECTS:
            raise Refused(501, "route_not_guarded", f"reasoning on {route} cannot be guarded here.")
        assert policy.defense is not None
        guard = Guard(
            defense=policy.defense,
            trace_key=asked.key,
            on_failure=policy.on_failure,
            hold_bytes=limits.hold_bytes if policy.streams else limits.max_response_bytes,
        )
        self._dialect = DIALECTS[route]
        echoes = Echoes(asked.body)
        self._context = Context(guard, policy.unopened, policy.usage, limits.max_event_bytes, echoes=echoes)
        self._turns, self._tenant = turns, tenant

    def stream(self) -> GuardedStream:
        """A guarded stream for bytes of this dialect; what it gives out goes through `resolved`."""
        return self._dialect.stream(self._context)

    async def whole(self, body: bytes) -> bytes:
        """A body that does not stream, guarded.

        Raises:
            DefenseError: the defense failed, and the policy says that the response fails then.
            UpstreamGarbage: the body is not a JSON object.
        """
        guarded = self._dialect.whole(self._context, body)
        for remember in guarded.remembers:
            remember.render(await self._token(remember.original, remember.guarded, remember.carried))
        return guarded.render()

    async def resolved(self, parts: Iterable[Part]) -> list[bytes]:
        """Parts as bytes: originals are kept, and tokens stand where the dialect has a field for them."""
        out: list[bytes] = []
        for part in parts:
            if isinstance(part, bytes):
                out.append(part)
            elif not isinstance(part, Remember):
                out.append(joined([part]))
            else:
                out.append(part.render(await self._token(part.original, part.guarded, part.carried)))
        return [data for data in out if data]

    async def _token(self, original: str, guarded: str, carried: str) -> str:
        return "" if self._turns is None else await self._turns.remember(original, guarded, self._tenant, carried)


class Desk:
    """Policies and turns for the requests of a plug-in.

    Args:
        policy_file: as for the server; None: only variables of the environment.
        sections: settings that win over the file, in its shape.

    Raises:
        BadPolicy, UnknownName: the policies are not valid.
        KeyFileError: a key file is missing or too short.
    """

    def __init__(self, policy_file: str | Path | None = None, sections: dict[str, Any] | None = None) -> None:
        self.book = PolicyBook(Path(policy_file) if policy_file else None, sections)
        self.turns = turns_of(self.book.current)

    def session(self, client: Client, asked: Asked, route: str) -> Session | None:
        """Guards the answer to a request; None where the policy lets originals leave.

        Raises:
            Refused: the route is not guarded.
        """
        snapshot = self.book.current
        policy = snapshot.policy(client, asked.model, route)
        if policy.defense is None:
            return None
        return Session(policy, snapshot.settings.limits, asked, route, self.turns, client.tenant)
