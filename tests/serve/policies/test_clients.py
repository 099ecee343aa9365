"""API keys: matched by hash, blind to time, never named."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.errors import Refused
from antidistill.serve.policies import clients
from antidistill.serve.policies.clients import ClientTable, presented_key

SECRET = b"0123456789abcdef"


def sha(key):
    return hashlib.sha256(key.encode()).hexdigest()


TABLE = ClientTable({"acme": [sha("one"), sha("two")], "beta": [sha("three")]}, SECRET)


@pytest.mark.parametrize(("key", "tenant"), [("one", "acme"), ("two", "acme"), ("three", "beta")])
def test_listed_keys_belong_to_their_tenant(key, tenant):
    client = TABLE.client(key)
    assert (client.tenant, client.listed) == (tenant, True)


@given(st.text(min_size=1))
def test_other_keys_are_tenants_of_their_own_whose_name_does_not_show_the_key(key):
    if key in {"one", "two", "three"}:
        return
    client = TABLE.client(key)
    assert not client.listed
    assert client.tenant.startswith("key-")
    assert client == ClientTable({}, SECRET).client(key)
    assert client != ClientTable({}, b"another secret..").client(key)
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    assert client.tenant[4:] not in digest
    assert client.fingerprint not in client.tenant


def test_nobody_is_anonymous():
    assert TABLE.client("") == clients.ANONYMOUS


def test_a_key_is_compared_in_constant_time_and_looked_up_under_a_name_no_caller_can_choose(monkeypatch):
    compared, looked_up = [], []

    class Watched(dict):
        def get(self, name, default=None):
            looked_up.append(name)
            return super().get(name, default)

    table = ClientTable({"acme": [sha("one")]}, SECRET)
    table._entries = Watched(table._entries)
    monkeypatch.setattr(
        clients.hmac, "compare_digest", lambda a, b, real=hmac.compare_digest: compared.append((a, b)) or real(a, b)
    )
    table.client("one")
    table.client("other")
    digests = [hashlib.sha256(key.encode()).digest() for key in ("one", "other")]
    assert [given for _, given in compared] == digests  # found or not, exactly one comparison, of whole digests
    assert all(len(expected) == 32 for expected, _ in compared)
    assert set(looked_up).isdisjoint(digests)
    again = ClientTable({"acme": [sha("one")]}, SECRET)
    assert set(again._entries).isdisjoint(table._entries)  # another process: other names in the table


def test_the_key_of_a_request():
    assert presented_key([]) == ""
    assert presented_key([("Authorization", "Bearer  one "), ("accept", "x")]) == "one"
    assert presented_key([("X-Api-Key", "one")]) == "one"
    assert presented_key([("api-key", "one"), ("authorization", "bearer one")]) == "one"
    assert presented_key([("authorization", "Basic abc")]) == "Basic abc"


def test_two_different_keys_are_refused():
    with pytest.raises(Refused) as caught:
        presented_key([("authorization", "Bearer one"), ("x-api-key", "two")])
    assert (caught.value.status, caught.value.code) == (401, "ambiguous_credentials")
    with pytest.raises(Refused):
        presented_key([("authorization", "Bearer one"), ("authorization", "Bearer two")])
