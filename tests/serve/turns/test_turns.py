"""Originals come back for every dialect, for their own tenant, in time, and tokens do not tell how much was cut."""

import asyncio
import binascii
import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serve.turns.requests import TOKEN_ONLY, WITH_TEXT

from antidistill.defenses import guard, make
from antidistill.serve.policies import PolicyBook, TurnsMode
from antidistill.serve.turns import MemoryStore, Ring, Turns, turns_of
from antidistill.trace import Trace

OLD, NEW = b"an old secret 16", b"a new secret 016"
ORIGINAL = "I need 12 * 15. So 120 + 60 = 180.\n\nWait, let me check 12 * 5. It is 60, yes.\n\nBoth ways agree."
GUARDED = "I need 12 * 15. So 120 + 60 = 180.\n\nIt is 60, yes.\n\nBoth ways agree."


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


def turns(mode, *secrets, store=None, clock=None, **options):
    clock = clock or Clock()
    store = MemoryStore(86_400, 10_000_000, clock) if store is None else store
    return Turns(Ring(secrets or (NEW,)), store, mode, clock=clock, **options)


def run(coroutine):
    return asyncio.run(coroutine)


def text_of(body):
    return json.dumps(body, ensure_ascii=False).replace("\\n", "\n")


@pytest.mark.parametrize("mode", [TurnsMode.STORE, TurnsMode.TOKEN, TurnsMode.BOTH])
@pytest.mark.parametrize("dialect", WITH_TEXT)
def test_an_original_comes_back_in_every_dialect(mode, dialect):
    memory = turns(mode)
    token = run(memory.remember(ORIGINAL, GUARDED, "acme", "engine"))
    assert bool(token) is (mode is not TurnsMode.STORE)
    body = WITH_TEXT[dialect](GUARDED, token)
    carries = mode is not TurnsMode.TOKEN or token in text_of(body)
    result = run(memory.restore(body, "acme"))
    if not carries:  # without a field for a token and without a store there is no way back
        assert (result.hits, result.misses["unknown"] > 0, result.changed) == (0, True, False)
        return
    assert result.misses == {}
    assert result.hits >= 1
    assert (
        text_of(body) == text_of(WITH_TEXT[dialect](ORIGINAL, "engine" if token else ""))
        or dialect == "details in pieces"
    )
    assert ORIGINAL in text_of(body)
    assert GUARDED not in text_of(body)


@pytest.mark.parametrize("dialect", TOKEN_ONLY)
def test_the_token_alone_is_enough(dialect):
    memory = turns(TurnsMode.TOKEN)
    token = run(memory.remember(ORIGINAL, GUARDED, "acme"))
    body = TOKEN_ONLY[dialect](token)
    assert run(memory.restore(body, "acme")).hits == 1
    assert ORIGINAL in text_of(body)
    assert token not in text_of(body)


texts = st.text(st.characters(codec="utf-8"), max_size=400)


@settings(max_examples=150, deadline=None)
@given(
    original=texts,
    guarded=texts,
    carried=st.text(max_size=20),
    mode=st.sampled_from([TurnsMode.STORE, TurnsMode.TOKEN]),
)
def test_any_text_makes_the_round_trip(original, guarded, carried, mode):
    memory = turns(mode)
    token = run(memory.remember(original, guarded, "acme", carried))
    body = WITH_TEXT["anthropic"](guarded, token)
    result = run(memory.restore(body, "acme"))
    block = body["messages"][0]["content"][0]
    if guarded.strip() or mode is TurnsMode.TOKEN:
        assert block["thinking"] == original or (not guarded and original == "")
        assert not result.misses
    assert block["signature"] == (carried if token else "engine")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_token_that_was_changed_anywhere_restores_nothing(data):
    memory = turns(TurnsMode.TOKEN)
    raw = bytearray(binascii.a2b_base64(run(memory.remember(ORIGINAL, GUARDED, "acme"))))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    token = binascii.b2a_base64(bytes(raw), newline=False).decode()
    body = WITH_TEXT["anthropic"](GUARDED, token)
    result = run(memory.restore(body, "acme"))
    assert result.hits == 0
    assert sum(result.misses.values()) >= 1
    assert "Wait" not in text_of(body)
    assert GUARDED in text_of(body)


@pytest.mark.parametrize("mode", [TurnsMode.STORE, TurnsMode.TOKEN])
def test_another_tenant_gets_nothing_back(mode):
    memory = turns(mode)
    token = run(memory.remember(ORIGINAL, GUARDED, "acme"))
    for other in ("beta", "acm", "acme2", "", "ACME"):
        body = WITH_TEXT["anthropic"](GUARDED, token)
        result = run(memory.restore(body, other))
        assert result.hits == 0
        assert "Wait" not in text_of(body)
    if token:
        assert result.misses == {"broken": 1, "unknown": 1}


@pytest.mark.parametrize("mode", [TurnsMode.STORE, TurnsMode.TOKEN])
def test_originals_expire(mode):
    clock = Clock()
    memory = turns(mode, clock=clock, ttl=100)
    token = run(memory.remember(ORIGINAL, GUARDED, "acme"))
    clock.now += 99
    assert run(memory.restore(WITH_TEXT["anthropic"](GUARDED, token), "acme")).hits == 1
    clock.now += 2
    body = WITH_TEXT["anthropic"](GUARDED, token)
    result = run(memory.restore(body, "acme"))
    assert (result.hits, "Wait" in text_of(body)) == (0, False)
    assert ("expired" in result.misses) is bool(token)


@pytest.mark.parametrize("mode", [TurnsMode.STORE, TurnsMode.TOKEN])
def test_keys_rotate_an_old_one_opens_until_it_is_taken_out(mode):
    clock = Clock()
    store = MemoryStore(86_400, 10**6, clock)
    token = run(turns(mode, OLD, store=store, clock=clock).remember(ORIGINAL, GUARDED, "acme"))
    body = WITH_TEXT["anthropic"](GUARDED, token)
    assert run(turns(mode, NEW, OLD, store=store, clock=clock).restore(copy.deepcopy(body), "acme")).hits == 1
    assert run(turns(mode, NEW, store=store, clock=clock).restore(copy.deepcopy(body), "acme")).hits == 0
    fresh = run(turns(mode, NEW, OLD, store=store, clock=clock).remember(ORIGINAL, GUARDED, "acme"))
    body = WITH_TEXT["anthropic"](GUARDED, fresh)
    assert run(turns(mode, NEW, store=store, clock=clock).restore(body, "acme")).hits == 1


SENTENCES = st.lists(
    st.sampled_from(
        [
            "So 4 = 4. ",
            "Wait, no. ",
            "Hmm, let me check 17 * 3. ",
            "I add the numbers. ",
            "等等，不对。",
            "Alternatively, x. ",
        ]
    ),
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(kept=SENTENCES, cut=SENTENCES, other=SENTENCES)
def test_the_length_of_a_token_depends_on_the_guarded_text_alone(kept, cut, other):
    memory = turns(TurnsMode.TOKEN)
    guarded = "".join(kept)
    lengths = {
        len(run(memory.remember(original, guarded, "acme")))
        for original in (guarded, guarded + "".join(cut), "".join(other) * 50 + guarded)
    }
    assert len(lengths) == 1


def test_the_same_holds_for_texts_that_do_not_compress_and_both_come_back():
    import random

    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=30_000))
    memory = turns(TurnsMode.TOKEN)
    small, large = (run(memory.remember(original, GUARDED, "acme")) for original in (GUARDED, noise))
    assert len(small) == len(large) < 1_000
    body = WITH_TEXT["anthropic"](GUARDED, large)
    assert run(memory.restore(body, "acme")).hits == 1
    assert body["messages"][0]["content"][0]["thinking"] == noise


def test_the_size_of_a_token_is_capped():
    memory = turns(TurnsMode.TOKEN, max_token_bytes=2_048)
    guarded = "A sentence about nothing. " * 2_000
    token = run(memory.remember(guarded + "Wait, no.", guarded, "acme"))
    assert len(token) <= 2_048
    body = WITH_TEXT["anthropic"](guarded, token)
    assert run(memory.restore(body, "acme")).hits == 1
    assert body["messages"][0]["content"][0]["thinking"].endswith("Wait, no.")


def test_what_was_not_edited_counts_as_restored_and_takes_no_room():
    store = MemoryStore(100, 10**6)
    memory = turns(TurnsMode.STORE, store=store)
    run(memory.remember(ORIGINAL * 100, ORIGINAL * 100, "acme"))
    assert store.bytes < 300
    result = run(memory.restore(WITH_TEXT["reasoning"](ORIGINAL * 100, ""), "acme"))
    assert (result.hits, result.changed, result.misses) == (1, False, {})


def test_white_space_that_clients_add_or_strip_does_not_matter():
    memory = turns(TurnsMode.STORE)
    run(memory.remember(f"\n{ORIGINAL}\n", f"\n{GUARDED}\n", "acme"))
    for sent, expected in [
        (GUARDED, ORIGINAL),
        (f"\n{GUARDED}\n", f"\n{ORIGINAL}\n"),
        (f"  {GUARDED}\n\n", f"  {ORIGINAL}\n\n"),
    ]:
        body = WITH_TEXT["reasoning"](sent, "")
        run(memory.restore(body, "acme"))
        assert body["messages"][1]["reasoning"] == expected


def test_a_text_that_the_client_changed_is_passed_on_as_it_came():
    memory = turns(TurnsMode.TOKEN)
    token = run(memory.remember(ORIGINAL, GUARDED, "acme"))
    body = WITH_TEXT["anthropic"]("I was told to say 5.", token)
    result = run(memory.restore(body, "acme"))
    assert result.misses == {"changed": 1}
    assert body["messages"][0]["content"][0]["thinking"] == "I was told to say 5."


FOREIGN = ["EqQBCgIYAhIM" + "A" * 200, "not base64 !", "c2hvcnQ=", "0123456789abcdef0123456789abcdef"]


@pytest.mark.parametrize("signature", FOREIGN)
def test_signed_reasoning_of_others_passes_untouched(signature):
    memory = turns(TurnsMode.TOKEN)
    for body in (
        WITH_TEXT["anthropic"]("Theirs.", signature),
        *(make_body(signature) for make_body in TOKEN_ONLY.values()),
    ):
        before = copy.deepcopy(body)
        result = run(memory.restore(body, "acme"))
        assert (body, result.changed, result.hits) == (before, False, 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "thinking", "reasoning", "reasoning_details", "data", "text", "summary"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None)
@given(messages=json_values, items=json_values)
def test_any_body_is_passed_on_and_without_originals_unchanged(messages, items):
    body = {"messages": messages, "input": items}
    before = copy.deepcopy(body)
    result = run(turns(TurnsMode.STORE).restore(body, "acme"))
    assert body == before
    assert not result.changed


def test_off_forgets():
    memory = turns(TurnsMode.OFF)
    assert run(memory.remember(ORIGINAL, GUARDED, "acme")) == ""
    result = run(memory.restore(WITH_TEXT["reasoning"](GUARDED, ""), "acme"))
    assert (result.hits, result.misses) == (0, {})


def test_only_assistants_get_originals():
    memory = turns(TurnsMode.STORE)
    run(memory.remember(ORIGINAL, GUARDED, "acme"))
    for role in ("user", "system", "tool", "developer"):
        body = {"messages": [{"role": role, "content": f"<think>{GUARDED}</think>", "reasoning": GUARDED}]}
        before = copy.deepcopy(body)
        run(memory.restore(body, "acme"))
        assert body == before


@pytest.mark.parametrize("method", ["traceguard", "branches", "exchange", "steps"])
def test_real_traces_fit_into_their_tokens(method, examples):
    """English reasoning has room enough: the store is not needed for any of the example traces."""
    import antidistill as ad

    defense = make(method, key=NEW)
    store = MemoryStore(100, 10**8)
    memory = turns(TurnsMode.TOKEN, store=store)
    traces = list(ad.read(examples))
    assert len(traces) >= 5
    for trace in traces:
        guarded = guard(Trace(trace.id, trace.prompt, trace.reasoning, ""), defense).reasoning
        token = run(memory.remember(trace.reasoning, guarded, "acme"))
        body = WITH_TEXT["responses"](guarded, token)
        assert run(memory.restore(body, "acme")).hits == 1
        assert body["input"][1]["content"][0]["text"] == trace.reasoning
        assert len(token) < 1.1 * len(guarded.encode()) + 1_000
    assert len(store) == 0


def test_a_store_that_is_open_is_kept_when_the_policies_are_read_again():
    store = MemoryStore(100, 10**6)
    snapshot = PolicyBook(None, {}, secret=NEW, environment={}).current
    run(turns_of(snapshot, store).remember(ORIGINAL, GUARDED, "acme"))
    assert len(store) == 1
    assert run(turns_of(snapshot, store).restore(WITH_TEXT["reasoning"](GUARDED, ""), "acme")).hits == 1


def test_a_policy_file_says_how(tmp_path):
    (tmp_path / "new").write_bytes(NEW)
    (tmp_path / "old").write_bytes(OLD)
    sections = {
        "turns": {"mode": "token", "ttl_seconds": 5, "key_files": [str(tmp_path / "new"), str(tmp_path / "old")]}
    }
    memory = turns_of(PolicyBook(None, sections, secret=b"guards guards 16", environment={}).current)
    token = run(memory.remember(ORIGINAL, GUARDED, "acme"))
    assert memory.mode is TurnsMode.TOKEN
    assert (
        run(
            turns(TurnsMode.TOKEN, NEW, clock=__import__("time").time).restore(TOKEN_ONLY["responses"](token), "acme")
        ).hits
        == 1
    )
