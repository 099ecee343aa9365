"""What a policy file may say: one record per section, with types, ranges and defaults. Reading it is `reading.py`.

Times are seconds, sizes are bytes; the names say which.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ROUTES = ("/v1/chat/completions", "/v1/messages", "/v1/responses")
"""Routes on which reasoning leaves; a rule may name them."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Usage(StrEnum):
    """What the usage counts of a response say about its reasoning."""

    UPSTREAM = "upstream"
    """As the engine counted: right for billing, but reasoning tokens minus visible ones show how much was cut."""
    VISIBLE = "visible"
    """Counted again from what the client sees."""
    OMIT = "omit"
    """Counts that depend on the reasoning are left out."""


class OnFailure(StrEnum):
    """What the client gets where a defense fails."""

    DROP_REASONING = "drop-reasoning"
    FAIL = "fail"
    PASS = "pass"
    """The original reasoning; only where a rule asks for it."""


class Unopened(StrEnum):
    """What answer text is taken for that does not open with a delimiter such as `<think>`, before a closing one is seen."""

    HOLD = "hold"
    """Nothing of it leaves until that is known, unless the model was seen to mark its reasoning."""
    ANSWER = "answer"
    """The engine marks where reasoning starts: by a field of its own, or by an opening delimiter."""
    REASONING = "reasoning"
    """The chat template opens the reasoning, so that answers start inside of it (DeepSeek-R1 without a reasoning parser)."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Upstream(_Section):
    """The engine behind the reverse proxy.

    Attributes:
        url: where it listens, for instance http://127.0.0.1:8000.
        credentials: `pass` (the client's own), or where to read the engine's: `file:PATH` or `env:NAME`.
        credential_header: header that carries injected credentials; `authorization` gets `Bearer` before them.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+")] | None = None
    credentials: str = "pass"
    credential_header: Literal["authorization", "x-api-key", "api-key"] = "authorization"


class PacingSettings(_Section):
    """Guarded reasoning of a stream leaves in even pieces, so that neither gaps nor sizes tell where something was cut.

    Attributes:
        characters: of a piece; the last one is shorter.
        seconds: from one piece to the next; 0: no pacing. Slower than the engine writes, else a cut is still a gap.
        reserve: characters that wait before the first piece leaves, so that pieces go on where a long text is cut.
    """

    characters: Annotated[int, Field(ge=1, le=10_000)] = 32
    seconds: Annotated[float, Field(ge=0, le=60)] = 0.25
    reserve: Annotated[int, Field(ge=0, le=50_000)] = 0


_NO_PACING = {"seconds": 0.0}


class Guarding(_Section):
    """How reasoning is guarded; in a rule, what is not said is as in `default`.

    Attributes:
        method: one of `antidistill methods`, or `off`.
        options: its options, the budget among them (`share`, `k`).
        mix: guard each trace with this probability only.
        usage: what usage counts say.
        on_failure: what leaves where the defense fails.
        unopened: what answer text without an opening delimiter is taken for.
        pacing: even pieces at even times, or `off`.
    """

    method: str | None = None
    options: dict[str, Any] | None = None
    mix: Annotated[float, Field(gt=0, le=1)] | None = None
    usage: Usage | None = None
    on_failure: OnFailure | None = None
    unopened: Unopened | None = None
    pacing: Annotated[PacingSettings | None, BeforeValidator(lambda said: _NO_PACING if said == "off" else said)] = None


class Rule(Guarding):
    """Guarding for some clients, models or routes. The first rule that fits a request holds; `default` if none does.

    Attributes:
        name: for logs, metrics and the audit log.
        tenants: names from `tenants`; empty: any client.
        models: patterns as in a shell (`qwen*`) for the model of the request; empty: any.
        routes: paths from `ROUTES`; empty: any.
        trusted: these clients see originals; needs `tenants`.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    tenants: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    trusted: bool = False


class Tenant(_Section):
    """One client and its API keys.

    Attributes:
        key_sha256: SHA-256 of each of its keys, 64 hexadecimal digits: `printf %s KEY | sha256sum`.
    """

    key_sha256: Annotated[tuple[Sha256, ...], Field(min_length=1)]


class Access(StrEnum):
    """Who may call."""

    ANY = "any"
    LISTED = "listed"
    """Only keys of `tenants`."""


class TurnsMode(StrEnum):
    """How originals come back in the next turn."""

    STORE = "store"
    TOKEN = "token"
    BOTH = "both"
    OFF = "off"


class TurnsSettings(_Section):
    """Originals of earlier turns.

    Attributes:
        mode: `store` keeps them here, `token` gives them to the client sealed, `both` does both, `off` forgets them.
        store: `memory`, or a Redis for several replicas: redis://…, `env:NAME` or `file:PATH` that hold such a URL.
        ttl_seconds: for how long an original comes back.
        max_token_bytes: of a token on the wire; what does not fit goes into the store.
        max_store_bytes: of the store in memory; the oldest go first.
        key_files: keys that seal (the first) and open (all of them); without them `key_file`.
    """

    mode: TurnsMode = TurnsMode.STORE
    store: str = "memory"
    ttl_seconds: Positive = 86_400.0
    max_token_bytes: Annotated[int, Field(ge=1024)] = 262_144
    max_store_bytes: Count = 268_435_456
    key_files: tuple[Path, ...] = ()


class LimitSettings(_Section):
    """What one client, or one stream, may take.

    Attributes:
        max_body_bytes: of a request; more is answered with 413.
        max_response_bytes: of a response that does not stream; it is read whole.
        max_event_bytes: of one event from the engine; a longer one ends the stream.
        max_streams: requests at once; more are answered with 503 and `Retry-After`.
        hold_bytes: of text that may come while nothing leaves; more is a failure of the defense, see `on_failure`.
        hold_seconds: for which text may be held while none of it is decided; longer is a failure of the defense.
        undecided_bytes: of answer text that waits because nobody knows yet whether it is reasoning; more fails the response.
        idle_seconds: without a byte from the engine, and without a byte taken by the client.
        connect_seconds: to reach the engine.
        drain_seconds: for streams to end after SIGTERM.
        retries: further attempts, before the first byte only.
    """

    max_body_bytes: Count = 16_777_216
    max_response_bytes: Count = 67_108_864
    max_event_bytes: Count = 8_388_608
    max_streams: Count = 1_000
    hold_bytes: Count = 65_536
    hold_seconds: Positive = 600.0
    undecided_bytes: Count = 1_048_576
    idle_seconds: Positive = 600.0
    connect_seconds: Positive = 10.0
    drain_seconds: Positive = 1_800.0
    retries: Annotated[int, Field(ge=0, le=5)] = 2


class Audit(_Section):
    """The audit log.

    Attributes:
        file: where it is appended to; none: no audit log.
    """

    file: Path | None = None


class Settings(_Section):
    """A whole policy file.

    Attributes:
        upstream: the engine.
        key_file: the secret that all choices of the defenses come from; without it the key beside the policy file.
        access: who may call; `listed` where credentials are injected, `any` where they are passed through.
        tenants: clients by name.
        default: guarding where no rule fits.
        rules: in order.
        turns: originals of earlier turns.
        limits: what one client may take.
        audit: the audit log.
    """

    upstream: Upstream = Upstream()
    key_file: Path | None = None
    access: Access | None = None
    tenants: dict[str, Tenant] = {}
    default: Guarding = Guarding()
    rules: tuple[Rule, ...] = ()
    turns: TurnsSettings = TurnsSettings()
    limits: LimitSettings = LimitSettings()
    audit: Audit = Audit()
