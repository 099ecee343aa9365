"""A policy: what is done with one request, ready to use. A stream keeps the policy that it began with."""

from __future__ import annotations

from dataclasses import dataclass

from antidistill.defenses import Defense, spec
from antidistill.serve.policies.settings import OnFailure, PacingSettings, Unopened, Usage


@dataclass(frozen=True, slots=True)
class Policy:
    """How the reasoning of one request is guarded.

    Attributes:
        name: of the rule; `default` where none fitted.
        defense: guards the reasoning; None: originals leave, and nothing has to be closed beside them.
        trusted: the client is one that may see originals.
        usage: what usage counts say.
        on_failure: what leaves where the defense fails.
        unopened: what answer text without an opening delimiter is taken for.
        pacing: even pieces at even times; None: text leaves when it is decided.
        hash: SHA-256 of what the policy does, 64 hexadecimal digits; the same on every replica with the same key.
    """

    name: str
    defense: Defense | None
    trusted: bool
    usage: Usage
    on_failure: OnFailure
    hash: str
    unopened: Unopened = Unopened.HOLD
    pacing: PacingSettings | None = None

    @property
    def streams(self) -> bool:
        """False: no reasoning leaves before its end."""
        return self.defense is None or self.defense.streams

    @property
    def spec(self) -> str:
        """The JSON that rebuilds the defense; "" if originals leave."""
        return "" if self.defense is None else spec(self.defense)


@dataclass(frozen=True, slots=True)
class Client:
    """Who calls.

    Attributes:
        tenant: the name in the policy file; of another key a name that only the holder of the secret can derive; or `anonymous`.
        fingerprint: names the key in logs, 16 hexadecimal digits that say nothing about it; "" without a key.
        listed: the key stands in the policy file.
    """

    tenant: str
    fingerprint: str
    listed: bool
