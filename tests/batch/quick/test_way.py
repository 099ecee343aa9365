"""The quick way gives what the long way gives, byte for byte: output, ledger, rejected rows, counts."""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from antidistill import defenses
from antidistill.batch.account import Account
from antidistill.batch.arrow import guard_batch
from antidistill.batch.guardian import Guardian, Settings
from antidistill.batch.ledger import LedgerText
from antidistill.batch.lines import guard_lines
from antidistill.batch.quick import way
from antidistill.batch.results import Done
from antidistill.errors import AntidistillError

pytestmark = pytest.mark.skipif(not way.BUILT, reason="there was no C compiler")

KEY = b"k" * 32
METHODS = (
    ("traceguard", {"k": 2}, None),
    ("traceguard", {"k": 2}, 0.5),
    ("branches", {"share": 0.6}, None),
    ("marker-words", {}, None),
    ("exchange", {}, None),
    ("none", {}, None),
)
PIECES = (
    "I add two and two. ", "Wait, is it five? ", "So it is 4.\n\n", "Hmm, no. ", "Alternatively, x = 1.5. ", "But wait, “no”. ",
    "等等，不对。", "所以答案是四。", "Wait, café × 2 ≈ 4. ", "𝑥 = 2. ", "- Wait: `a\\b` \"quoted\"\n", "\x00\x1f\x7f", "\u2028", "1. Wait. ",
    "    code = 3\n", "\t", "é", "Wait. ", "$x$ ", " ", "<think>", "k] > <", "▷", "{\"a\": 1}",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=60)
SHORT = st.lists(st.sampled_from(PIECES[:18]), min_size=1, max_size=2).map("".join)
SCALARS = st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | SHORT | TEXTS
REASONING = st.lists(st.sampled_from(PIECES[:18]), min_size=2, max_size=30).map(
    lambda pieces: "So " + "".join(pieces) + "so."
)
SIMPLE = SHORT | st.integers(0, 10**17)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row that is plain, or nearly so."""
    if draw(st.integers(0, 3)):
        first = {"id": draw(SIMPLE)} if draw(st.booleans()) else {}
        first |= {"question": draw(SHORT)} if draw(st.booleans()) else {}
        first |= {"reasoning": draw(REASONING), "response": draw(SHORT)}
        return first | draw(st.dictionaries(st.sampled_from(["note", "gold"]), SIMPLE | st.none(), max_size=2))
    reasoning = draw(REASONING | TEXTS)
    answers = TEXTS | st.just(reasoning) | st.just(reasoning[:300]) | st.just("[" + reasoning)
    row: dict[str, Any] = {"id": draw(SCALARS)} if draw(st.booleans()) else {}
    row |= {"question": draw(SCALARS)} if draw(st.booleans()) else {}
    row |= {"reasoning": reasoning, "response": draw(answers)}
    more = draw(
        st.dictionaries(
            st.sampled_from(["note", "gold", "prompt", "answer", "é", "n_tokens"]), SCALARS | answers, max_size=3
        )
    )
    return row | more


def dumped(row: dict[str, Any], form: int) -> bytes:
    """A line as one of several writers writes it."""
    forms = (
        lambda: orjson.dumps(row),
        lambda: json.dumps(row).encode(),
        lambda: json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"),
        lambda: json.dumps(row, separators=(" ,\t", " :  ")).encode(),
        lambda: json.dumps(row).replace("\\u00", "\\u00").replace("e", "\\u0065").encode(),
        lambda: json.dumps(row).replace("/", "\\/").replace("\\u", "\\u").upper().encode(),
    )
    try:
        return forms[form]()
    except TypeError:  # orjson knows no whole numbers beyond 64 bits
        return json.dumps(row).encode()


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Lines, some of them damaged."""
    found = []
    for row in draw(st.lists(rows(), max_size=4)):
        line = bytearray(dumped(row, draw(st.sampled_from((0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 5)))))
        if draw(st.integers(0, 9)) == 0 and line:
            at = draw(st.integers(0, len(line) - 1))
            line[at : at + draw(st.integers(0, 3))] = draw(
                st.binary(max_size=3) | st.sampled_from([b'"', b"\\ud800", b"\\", b"\xf0\x9f"])
            )
        found.append(bytes(line).replace(b"\n", b" "))
    return draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"])).join(found) + draw(st.sampled_from([b"", b"\n", b"\r\n"]))


def guardian(method: str, options: dict[str, Any], mix: float | None, text: LedgerText | None) -> Guardian:
    defense = defenses.make(method, key=KEY, mix=mix, **options)
    return Guardian(Settings(defenses.spec(defense), KEY, bytes(32), text))


@contextmanager
def long_way() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(way, "_guard_lines", None)
        patch.setattr("antidistill.batch.arrow.BUILT", False)
        yield


@contextmanager
def known_nonces() -> Iterator[None]:
    """Guardians made within seal the same text in the same way, again and again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", bytes)
        yield


def both_ways(data: bytes, own: Guardian) -> tuple[Done, Done]:
    quick = guard_lines(own, data, 3, 41)
    with long_way():
        return quick, guard_lines(own, data, 3, 41)


PLAIN = orjson.dumps(
    {"id": 7, "question": "2+2?", "reasoning": "I add two and two. Wait, is it five? So it is 4.", "response": "4"}
)


@pytest.mark.parametrize(("method", "options", "mix"), METHODS)
@given(data=lines(), text=st.sampled_from([None, *LedgerText]))
@example(data=PLAIN, text=LedgerText.SEALED)
@example(data=PLAIN * 1, text=LedgerText.PLAIN)
@example(data=PLAIN.replace(b"five", "fünf".encode()), text=LedgerText.PLAIN)
@example(
    data=PLAIN.replace(b'"4"', b'"4", "reasoning": "another one, also with a Wait. Wait, so."'), text=LedgerText.PLAIN
)
@settings(max_examples=60, deadline=None)
def test_lines_both_ways(
    method: str, options: dict[str, Any], mix: float | None, data: bytes, text: LedgerText | None
) -> None:
    with known_nonces():
        quick, slow = both_ways(data, guardian(method, options, mix, text))
    assert quick == slow


@given(data=st.binary(max_size=300) | st.binary(max_size=80).map(lambda more: PLAIN[:60] + more + PLAIN[60:]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_both_ways(data: bytes) -> None:
    quick, slow = both_ways(data, guardian("traceguard", {"k": 2}, None, LedgerText.PLAIN))
    assert quick == slow


@pytest.mark.parametrize(("method", "options", "mix"), METHODS)
@given(table=st.lists(rows(), min_size=1, max_size=5), start=st.integers(0, 3), large=st.booleans())
@settings(max_examples=40, deadline=None)
def test_batches_both_ways(
    method: str, options: dict[str, Any], mix: float | None, table: list[dict[str, Any]], start: int, large: bool
) -> None:
    try:
        batch = pa.RecordBatch.from_pylist(table)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return  # rows of several types are no batch
    if large:
        names = batch.schema.names
        arrays = [
            column.cast(pa.large_string()) if pa.types.is_string(column.type) else column for column in batch.columns
        ]
        batch = pa.RecordBatch.from_arrays(arrays, names)
    batch = batch.slice(start)
    with known_nonces():
        own = guardian(method, options, mix, LedgerText.SEALED)

    def done() -> tuple[Any, ...]:
        account = Account(own, 1)
        try:
            guarded = guard_batch(own, batch, 10, account)
            guarded.validate(full=True)
        except AntidistillError as error:
            return (str(error),)
        return guarded, b"".join(account.ledger), account.rejected, account.tally

    with known_nonces():
        quick = done()
        with long_way():
            assert quick == done()


@pytest.mark.parametrize("rows_at_once", [1, 255, 256, 257, 1000])
def test_every_line_has_a_nonce_of_its_own(rows_at_once: int) -> None:
    own = guardian("traceguard", {"k": 2}, None, LedgerText.SEALED)
    data = (PLAIN + b"\n") * rows_at_once
    batch = pa.RecordBatch.from_pylist([orjson.loads(PLAIN)] * rows_at_once)
    account = Account(own, 0)
    guard_batch(own, batch, 0, account)
    ledger = guard_lines(own, data, 0, 0).ledger + b"".join(account.ledger)
    sealed = [base64.b64decode(orjson.loads(line)["sealed"], validate=True) for line in ledger.splitlines()]
    assert len({one[:12] for one in sealed}) == len(sealed) == 2 * rows_at_once


@pytest.mark.parametrize("random", [lambda size: b"", lambda size: "0" * size, lambda size: 1 / 0])
def test_a_line_without_a_nonce_is_an_error(random: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", random)
        own = guardian("traceguard", {"k": 2}, None, LedgerText.SEALED)
    with pytest.raises((TypeError, ZeroDivisionError)):
        own.quick.lines(PLAIN, 0, 1, 0)


def test_bytes_that_are_not_utf8_in_a_batch_are_rejected() -> None:
    texts = pa.array(
        [b"I add. Wait, five? So it is four, I say.", b"I add. Wait, \xff? So it is four, I say."], pa.binary()
    )
    reasoning = pa.Array.from_buffers(pa.string(), 2, texts.buffers())
    batch = pa.RecordBatch.from_arrays([reasoning, pa.array(["4", "4"])], ["reasoning", "answer"])
    own = guardian("traceguard", {"k": 2}, None, LedgerText.PLAIN)
    account = Account(own, 0)
    guarded = guard_batch(own, batch, 0, account)
    assert guarded["reasoning"].to_pylist() == ["I add. So it is four, I say."]
    assert len(account.rejected) == 1


def test_plain_rows_take_the_quick_way() -> None:
    own = guardian("branches", {"share": 0.5}, None, LedgerText.SEALED)
    data = PLAIN + b"\n"
    done = own.quick.lines(data * 3, 0, 1, 0)
    assert done is not None
    assert (done.position, done.number) == (3 * len(data), 4)
    stopped = own.quick.lines(data + b'{"messages": []}\n' + data, 0, 1, 0)
    assert stopped is not None
    assert (stopped.position, stopped.number) == (len(data), 2)


def test_a_long_row_goes_the_quick_way() -> None:
    row = {"question": "q", "reasoning": "I add 等. Wait, five?\n" * 200_000 + "So.", "answer": "4"}
    quick, slow = both_ways(orjson.dumps(row), guardian("traceguard", {"k": 5}, None, LedgerText.PLAIN))
    assert quick == slow


@pytest.mark.parametrize(
    "arguments", [(b"x", 5, 1, 0, ()), (b"x", 0, 1, 0, ()), (b"x", 0, 1, 0, (1, 2, 3)), ("x", 0, 1, 0, ())]
)
def test_other_arguments_are_errors(arguments: tuple[Any, ...]) -> None:
    from antidistill.batch.quick import _quick

    with pytest.raises((TypeError, ValueError, SystemError)):
        _quick.guard_lines(*arguments)


@pytest.mark.parametrize("data", [b"", b"a", b"a\n", b"a\nb", b"\n\n"])
def test_lines_are_counted(data: bytes) -> None:
    assert way.count_lines(data) == len(data.splitlines(keepends=True))
