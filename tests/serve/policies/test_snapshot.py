"""Which policy holds for whom, what cannot work, and what is shown of it."""

import hashlib

import pytest

from antidistill.defenses import from_spec
from antidistill.errors import AntidistillError, BadPolicy, Refused, UnknownName
from antidistill.serve.policies import OnFailure, PolicyBook, Usage

SECRET = b"0123456789abcdef"


def sha(key):
    return hashlib.sha256(key.encode()).hexdigest()


def snapshot(environment=(), **sections):
    return PolicyBook(None, sections, secret=SECRET, environment=dict(environment)).current


TENANTS = {"acme": {"key_sha256": [sha("acme-key")]}, "beta": {"key_sha256": [sha("beta-key")]}}
RULES = [
    {"name": "partners", "tenants": ["acme"], "models": ["qwen*"], "trusted": True},
    {"name": "tiny", "models": ["tiny"], "method": "off"},
    {"name": "claude", "routes": ["/v1/messages"], "method": "branches", "options": {"share": 0.1}, "usage": "omit"},
]
DEFAULT = {"method": "traceguard", "options": {"k": 20}, "on_failure": "fail"}


@pytest.mark.parametrize(
    ("key", "model", "route", "name"),
    [
        ("acme-key", "qwen3", "/v1/messages", "partners"),
        ("acme-key", "llama", "/v1/messages", "claude"),
        ("beta-key", "qwen3", "/v1/chat/completions", "default"),
        ("unknown", "qwen3", "/v1/messages", "claude"),
        ("", "tiny", "/v1/messages", "tiny"),
        ("", "TINY", "/v1/responses", "default"),
    ],
)
def test_the_first_rule_that_fits_holds(key, model, route, name):
    current = snapshot(tenants=TENANTS, rules=RULES, default=DEFAULT)
    assert current.policy(current.client(key), model, route).name == name


def test_nobody_gets_a_tenants_rule_by_its_name():
    current = snapshot(tenants=TENANTS, rules=RULES)
    stranger = current.client("stranger")
    from dataclasses import replace

    assert current.policy(replace(stranger, tenant="acme"), "qwen3", "/v1/messages").name != "partners"


def test_a_rule_says_what_differs_from_the_default_and_another_method_has_its_own_options():
    current = snapshot(
        tenants=TENANTS, rules=[*RULES, {"name": "more", "models": ["m"], "options": {"k": 50}}], default=DEFAULT
    )
    partners, tiny, claude, more, default = current.policies
    assert (partners.defense, partners.trusted) == (None, True)
    assert (tiny.defense, tiny.trusted, tiny.streams) == (None, False, True)
    assert (claude.defense.share, claude.usage, claude.on_failure) == (0.1, Usage.OMIT, OnFailure.FAIL)
    assert (more.defense.k, default.defense.k) == (50, 20)
    assert from_spec(default.spec, SECRET) == default.defense
    assert len({policy.hash for policy in current.policies}) == 5


def test_with_nothing_said_reasoning_is_guarded_and_a_failure_drops_it():
    (default,) = snapshot().policies
    assert default.defense is not None
    assert (default.usage, default.on_failure) == (Usage.VISIBLE, OnFailure.DROP_REASONING)


def test_the_hash_is_the_same_on_every_replica_and_changes_with_what_the_policies_do():
    first = snapshot(tenants=TENANTS, rules=RULES, default=DEFAULT).hash
    assert first == snapshot(tenants=TENANTS, rules=RULES, default=DEFAULT).hash
    assert first == snapshot(tenants=TENANTS, rules=RULES, default=DEFAULT, limits={"max_streams": 3}).hash
    assert first != snapshot(tenants=TENANTS, rules=RULES, default={**DEFAULT, "options": {"k": 21}}).hash
    assert first != snapshot(tenants=TENANTS, rules=RULES[1:], default=DEFAULT).hash
    assert first != PolicyBook(None, {"default": DEFAULT}, secret=b"another secret..", environment={}).current.hash


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"default": {"method": "brnches"}}, "did you mean 'branches'"),
        ({"default": {"method": "traceguard", "options": {"kk": 3}}}, "unknown option of traceguard 'kk'"),
        ({"default": {"method": "branches", "options": {"share": 3}}}, "share=3 is not allowed"),
        ({"default": {"method": "off", "options": {"k": 3}}}, "method off has no options"),
        ({"default": {"options": {"key": "x"}}}, "'key' is not an option"),
        ({"rules": [{"name": "a", "trusted": True}]}, "it trusts everybody"),
        ({"rules": [{"name": "a", "trusted": True, "tenants": ["acme"], "method": "off"}]}, "leave method"),
        ({"rules": [{"name": "a", "tenants": ["acne"]}]}, "did you mean 'acme'"),
        ({"rules": [{"name": "a", "routes": ["/v1/mesages"]}]}, "did you mean '/v1/messages'"),
        ({"rules": [{"name": "a", "models": ["x"]}, {"name": "a"}]}, "the name is taken"),
        ({"rules": [{"name": "a"}, {"name": "b", "models": ["x"]}]}, "later rules never hold"),
        ({"tenants": {"a": {"key_sha256": [sha("x")]}, "b": {"key_sha256": [sha("x")]}}}, "list it once"),
    ],
)
def test_what_cannot_work_is_an_error(sections, told):
    with pytest.raises((BadPolicy, UnknownName)) as caught:
        snapshot(**{"tenants": TENANTS, **sections})
    assert told in str(caught.value)


def test_only_listed_keys_may_call_where_credentials_are_injected():
    current = snapshot({"KEY": "engine-key"}, tenants=TENANTS, upstream={"credentials": "env:KEY"})
    assert current.client("acme-key").listed
    for key in ("", "stranger"):
        with pytest.raises(Refused) as caught:
            current.client(key)
        assert caught.value.status == 401
        assert key == "" or key not in str(caught.value)
    opened = snapshot({"KEY": "k"}, access="any", upstream={"credentials": "env:KEY"})
    assert not opened.client("stranger").listed
    assert not snapshot(tenants=TENANTS).client("stranger").listed


def test_injected_credentials_replace_all_that_the_client_sent(tmp_path):
    sent = [("Authorization", "Bearer mine"), ("x-api-key", "mine"), ("Accept", "a")]
    assert snapshot().credentials.apply(sent) == sent
    (tmp_path / "key").write_text("engine-key\n")
    upstream = {"credentials": f"file:{tmp_path}/key"}
    assert snapshot(upstream=upstream).credentials.apply(sent) == [
        ("Accept", "a"),
        ("authorization", "Bearer engine-key"),
    ]
    upstream["credential_header"] = "x-api-key"
    assert snapshot(upstream=upstream).credentials.apply(sent) == [("Accept", "a"), ("x-api-key", "engine-key")]


def test_no_secret_is_shown(tmp_path):
    (tmp_path / "redis").write_text("redis://:redis-password@localhost/0")
    (tmp_path / "secret").write_bytes(b"turn-secret-turn-secret")
    current = snapshot(
        {"KEY": "engine-key"},
        tenants=TENANTS,
        upstream={"credentials": "env:KEY"},
        turns={"store": f"file:{tmp_path}/redis", "key_files": [str(tmp_path / "secret")]},
    )
    assert current.store.reveal() == "redis://:redis-password@localhost/0"
    shown = f"{current.public()} {current.credentials} {current.store} {current.store!r}"
    for secret in ("engine-key", "redis-password", "turn-secret", sha("acme-key"), "KEY", SECRET.decode()):
        assert secret not in shown
    inline = snapshot(turns={"store": "redis://:redis-password@localhost/0"})
    assert "redis-password" not in str(inline.public())


@pytest.mark.parametrize(
    "credentials", ["sk-live-123", "file:/does/not/exist", "env:NOT_SET", "env:", "file:", "env:TWO_LINES"]
)
def test_a_reference_to_no_secret_is_an_error_that_does_not_repeat_a_secret(credentials):
    with pytest.raises(AntidistillError, match="upstream.credentials") as caught:
        snapshot({"TWO_LINES": "sk-1\nx: y"}, upstream={"credentials": credentials})
    assert "sk-" not in str(caught.value)


def test_pacing_is_off_unless_said_and_a_rule_may_turn_it_off_again():
    assert snapshot().policies[0].pacing is None
    rules = [
        {"name": "one", "models": ["a"], "pacing": "off"},
        {"name": "two", "models": ["b"], "pacing": {"characters": 9}},
    ]
    current = snapshot(default={"pacing": {"seconds": 0.5}}, rules=rules)
    one, two, default = current.policies
    assert one.pacing is None
    assert (two.pacing.characters, default.pacing.seconds) == (9, 0.5)
    assert len({policy.hash for policy in current.policies}) == 3
    with pytest.raises(BadPolicy, match="trusted clients"):
        snapshot(
            tenants=TENANTS, rules=[{"name": "x", "tenants": ["acme"], "trusted": True, "pacing": {"characters": 9}}]
        )


@pytest.mark.parametrize("pacing", [{"characters": 0}, {"seconds": -1}, "on", {"size": 3}])
def test_pacing_that_cannot_be_is_refused(pacing):
    with pytest.raises(AntidistillError):
        snapshot(default={"pacing": pacing})
