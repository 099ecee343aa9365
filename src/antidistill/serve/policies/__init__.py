"""Policies: what is done with whose requests. `PolicyBook(path).current` answers; see docs/policies.md."""

from antidistill.serve.policies.book import PolicyBook
from antidistill.serve.policies.clients import presented_key
from antidistill.serve.policies.policy import Client, Policy
from antidistill.serve.policies.secrets import Credentials, Secret
from antidistill.serve.policies.settings import (
    ROUTES,
    LimitSettings,
    OnFailure,
    PacingSettings,
    Settings,
    TurnsMode,
    Unopened,
    Usage,
)
from antidistill.serve.policies.snapshot import Snapshot

__all__ = [
    "ROUTES",
    "Client",
    "Credentials",
    "LimitSettings",
    "OnFailure",
    "PacingSettings",
    "Policy",
    "PolicyBook",
    "Secret",
    "Settings",
    "Snapshot",
    "TurnsMode",
    "Unopened",
    "Usage",
    "presented_key",
]
