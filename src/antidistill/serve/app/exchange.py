"""One request and its response: the state that all steps share, and what is told about it at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from aiohttp import web

from antidistill.serve.audit import AuditText
from antidistill.serve.guard.context import Context
from antidistill.serve.guard.lane import Guard, Lane
from antidistill.serve.operations import Span
from antidistill.serve.policies import Client, Policy, Snapshot
from antidistill.serve.side_channels.echoes import Echoes
from antidistill.serve.side_channels.requests import Asked


@dataclass(slots=True)
class Exchange:
    """One request and its response.

    Attributes:
        request: as it came.
        request_id: in logs, headers and the audit log.
        snapshot: policies that it began with.
        client: who asks.
        asked: the body.
        policy: what is done.
        span: of tracing.
        lanes: reasoning that was guarded.
        waits: seconds for which text was held, each time.
        began: seconds on the monotonic clock.
        first: when the first byte left; 0 before.
        outcome: as in the metrics.
        status: of the response.
        busy: seconds of work on events.
        events: of the engine.
        retries: further attempts to reach the engine.
    """

    request: web.BaseRequest
    request_id: str
    route: str
    snapshot: Snapshot
    client: Client
    asked: Asked
    policy: Policy
    span: Span
    lanes: list[Lane] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    first: float = 0.0
    outcome: str = "ok"
    status: int = 0
    busy: float = 0.0
    events: int = 0
    retries: int = 0
    error: str = ""

    def context(self, marked_models: set[str]) -> Context:
        """How the response is guarded.

        Args:
            marked_models: models that were seen to mark their reasoning.
        """
        limits = self.snapshot.settings.limits
        defense = self.policy.defense
        assert defense is not None
        from antidistill.serve.policies import Unopened

        unopened = self.policy.unopened
        if unopened is Unopened.HOLD and self.asked.model in marked_models:
            unopened = Unopened.ANSWER
        guard = Guard(
            defense=defense,
            trace_key=self.asked.key,
            on_failure=self.policy.on_failure,
            hold_bytes=limits.hold_bytes if defense.streams else limits.max_response_bytes,
            undecided_bytes=limits.undecided_bytes,
            finished=self.lanes.append,
            waited=self.waits.append,
        )
        paced = self.policy.pacing is not None
        echoes = Echoes(self.asked.body)
        return Context(guard, unopened, self.policy.usage, limits.max_event_bytes, paced, echoes)

    def texts(self) -> list[AuditText]:
        """What the audit log is told about."""
        return [AuditText(lane.field, lane.original, lane.guarded, lane.edits) for lane in self.lanes if lane.original]

    def forget(self) -> None:
        """Lets go of all texts. Else they would wait, up to minutes, for the collector of cycles."""
        for lane in self.lanes:
            lane.forget()
        self.lanes.clear()
        self.asked.body = {}
