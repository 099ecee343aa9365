"""A policy file that was read and checked as a whole: it answers who calls and what is done with the request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import orjson

from antidistill.defenses import Defense, key_id, make, spec
from antidistill.errors import AntidistillError, BadPolicy, Refused, UnknownName
from antidistill.serve.policies.clients import ClientTable
from antidistill.serve.policies.policy import Client, Policy
from antidistill.serve.policies.secrets import Credentials, Secret, read_secret
from antidistill.serve.policies.settings import ROUTES, Access, Guarding, OnFailure, Rule, Settings, Unopened, Usage

OFF = "off"
_DEFAULTS: dict[str, Any] = {
    "method": "traceguard",
    "options": {},
    "mix": None,
    "usage": Usage.VISIBLE,
    "on_failure": OnFailure.DROP_REASONING,
    "unopened": Unopened.HOLD,
    "pacing": None,
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the policy file. It never changes; a reload makes another one.

    Attributes:
        settings: as read.
        credentials: for the engine.
        store: where originals are kept: `memory` or the URL of a Redis, which may hold a password.
        turn_secrets: the first seals originals, all of them open.
        hash: SHA-256 of all that the policies do, 64 hexadecimal digits.
    """

    settings: Settings
    credentials: Credentials
    store: Secret
    turn_secrets: tuple[bytes, ...]
    hash: str
    _rules: tuple[tuple[Rule, Policy], ...]
    _default: Policy
    _clients: ClientTable
    _access: Access

    def client(self, key: str) -> Client:
        """Who presents the API key `key` ("": none).

        Raises:
            Refused: only listed keys may call, and this is none (401).
        """
        return self._admitted(self._clients.client(key))

    def hashed_client(self, digest: bytes) -> Client:
        """The same for a gateway that knows only the SHA-256 of a key (32 bytes).

        Raises:
            Refused: as `client`.
        """
        return self._admitted(self._clients.hashed(digest))

    def _admitted(self, client: Client) -> Client:
        if self._access is Access.LISTED and not client.listed:
            raise Refused(401, "invalid_api_key", "the API key is missing or not known here.")
        return client

    def policy(self, client: Client, model: str, route: str) -> Policy:
        """The policy of a request: the first rule that fits, else the default."""
        for rule, policy in self._rules:
            if (
                (not rule.tenants or (client.listed and client.tenant in rule.tenants))
                and (not rule.models or any(fnmatchcase(model, pattern) for pattern in rule.models))
                and (not rule.routes or route in rule.routes)
            ):
                return policy
        return self._default

    @property
    def policies(self) -> tuple[Policy, ...]:
        """All policies, the default last."""
        return (*(policy for _, policy in self._rules), self._default)

    def public(self) -> dict[str, Any]:
        """The settings as JSON for people: no secret, no reference to one, no hash of an API key."""
        values = self.settings.model_dump(mode="json", exclude={"key_file"})
        values["upstream"]["credentials"] = "pass" if self.credentials.secret is None else "injected"
        values["turns"]["store"] = "memory" if self.settings.turns.store == "memory" else "redis"
        del values["turns"]["key_files"]
        values["tenants"] = {name: {"keys": len(t.key_sha256)} for name, t in self.settings.tenants.items()}
        return {"hash": self.hash, **values}


def build(
    settings: Settings, secret: bytes, turn_secrets: tuple[bytes, ...], environment: Mapping[str, str]
) -> Snapshot:
    """Checks the settings as a whole and makes them ready to use.

    Args:
        settings: as read.
        secret: that all choices of the defenses come from.
        turn_secrets: the first seals originals, all of them open; empty: `secret`.
        environment: variables that hold secrets.

    Raises:
        BadPolicy, UnknownName: a rule that cannot work: an unknown method, option, tenant or route, trust for everybody, ….
    """
    _check_tenants(settings)
    _check_rules(settings)
    default = _policy("default", Rule(name="default"), settings.default, secret)
    rules = tuple((rule, _policy(f"rules.{rule.name}", rule, settings.default, secret)) for rule in settings.rules)
    upstream, store = settings.upstream, settings.turns.store
    injected = upstream.credentials != "pass"
    credential = read_secret(upstream.credentials, "upstream.credentials", environment) if injected else None
    plain_store = store == "memory" or store.startswith(("redis://", "rediss://", "unix://"))
    return Snapshot(
        settings=settings,
        credentials=Credentials(upstream.credential_header, credential),
        store=Secret(store) if plain_store else read_secret(store, "turns.store", environment),
        turn_secrets=turn_secrets or (secret,),
        hash=_hash([[rule.model_dump(mode="json"), policy.hash] for rule, policy in rules] + [default.hash]),
        _rules=rules,
        _default=default,
        _clients=ClientTable({name: tenant.key_sha256 for name, tenant in settings.tenants.items()}, secret),
        _access=settings.access or (Access.LISTED if injected else Access.ANY),
    )


def _check_tenants(settings: Settings) -> None:
    holders: dict[str, str] = {}
    for name, tenant in settings.tenants.items():
        for digest in tenant.key_sha256:
            if digest in holders:
                raise BadPolicy(f"tenants.{name}", f"one of its keys belongs to {holders[digest]!r} too: list it once")
            holders[digest] = name


def _check_rules(settings: Settings) -> None:
    names: set[str] = {"default"}
    for number, rule in enumerate(settings.rules, 1):
        place = f"rules.{rule.name}"
        if rule.name in names:
            raise BadPolicy(place, "the name is taken: logs and metrics tell rules apart by it")
        names.add(rule.name)
        _check_names(f"tenant of {place}", rule.tenants, settings.tenants)
        _check_names(f"route of {place}", rule.routes, ROUTES)
        _check_trust(place, rule)
        if not (rule.tenants or rule.models or rule.routes) and number < len(settings.rules):
            raise BadPolicy(place, "it fits every request, so later rules never hold: put it last, or into default")


def _check_names(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownName(kind, name, known)


def _check_trust(place: str, rule: Rule) -> None:
    if rule.trusted and not rule.tenants:
        raise BadPolicy(place, "it trusts everybody: name tenants, or use method: off")
    if rule.trusted and rule.model_fields_set & {*Guarding.model_fields} - {"usage"}:
        raise BadPolicy(place, "trusted clients see originals: leave method, options, mix and on_failure out")


def _policy(place: str, rule: Rule, default: Guarding, secret: bytes) -> Policy:
    said = {**_DEFAULTS, **_said(default), **_said(rule)}
    if rule.method not in {None, default.method}:  # the options of another method mean nothing here
        said["options"] = rule.options or {}
    defense = None if rule.trusted else _defense(place, said, secret)
    record = {
        "spec": "" if defense is None else spec(defense),
        "trusted": rule.trusted,
        "usage": said["usage"],
        "on_failure": said["on_failure"],
        "unopened": said["unopened"],
        "key_id": key_id(secret),
    }
    pacing = said["pacing"] if defense is not None and said["pacing"] and said["pacing"].seconds else None
    if pacing is not None:
        record["pacing"] = pacing.model_dump()
    return Policy(
        name=rule.name,
        defense=defense,
        trusted=rule.trusted,
        usage=said["usage"],
        on_failure=said["on_failure"],
        hash=_hash(record),
        unopened=said["unopened"],
        pacing=pacing,
    )


def _said(guarding: Guarding) -> dict[str, Any]:
    return {name: value for name in _DEFAULTS if (value := getattr(guarding, name)) is not None}


def _defense(place: str, said: Mapping[str, Any], secret: bytes) -> Defense | None:
    method, options = said["method"], said["options"]
    if method == OFF:
        if options or said["mix"] is not None:
            raise BadPolicy(place, "method off has no options: leave options and mix out, or name a method")
        return None
    for name in ("key", "mix", "name"):
        if name in options:
            raise BadPolicy(f"{place}.options", f"{name!r} is not an option of a method: mix stands beside options")
    try:
        defense = make(method, key=secret, mix=said["mix"], **options)
        spec(defense)
        return defense
    except AntidistillError as error:
        raise BadPolicy(place, str(error)) from error
    except (TypeError, ValueError) as error:
        raise BadPolicy(place, f"method {method} does not take these options ({error})") from error


def _hash(record: Any) -> str:
    return hashlib.sha256(orjson.dumps(record, option=orjson.OPT_SORT_KEYS)).hexdigest()
