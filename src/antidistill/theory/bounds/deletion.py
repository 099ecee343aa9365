"""Deletions from a Markov chain: proposition 4.1 and I.1 of arXiv 2604.23238, tighter, and for blocks.

Clean is the law of n symbols in a row of a stationary m-order chain over V symbols, all of whose transitions are at least delta.
Guarded is the law of what is left after deletions whose places do not depend on the symbols. All values are in nats and hold in
both directions, KL(clean || guarded) and KL(guarded || clean). Proofs: docs/bounds.md, "Deletions".
"""

from __future__ import annotations

import math

from antidistill.errors import BadOption
from antidistill.theory.bounds.detection import Divergence, check_count, consequences
from antidistill.theory.bounds.record import Bound

_CHAIN = "stationary m-order chain, every transition at least delta; places independent of the content"


def disturbed(deleted: int, order: int, *, blocks: int | None = None, length: int | None = None) -> int:
    """How many transitions deletions disturb at most.

    Args:
        deleted: symbols deleted.
        order: order m of the chain.
        blocks: runs that the deleted symbols form; without it each symbol may stand alone.
        length: symbols that are left; without it there is no cap.

    Returns:
        min(length, m * blocks) or min(length, m * deleted).
    """
    cuts = deleted if blocks is None else min(blocks, deleted)
    return cuts * order if length is None else min(length, cuts * order)


def per_transition_published(delta: float) -> float:
    """log(1 / delta): the paper's bound on a disturbed transition, in nats."""
    return math.log(1 / delta)


def per_transition_ratio(delta: float, vocabulary: int = 2) -> float:
    """log((1 - (V - 1) delta) / delta): bounds the log-ratio itself, symbol by symbol, in nats."""
    return max(0.0, math.log((1 - (vocabulary - 1) * delta) / delta))


def per_transition(delta: float, vocabulary: int = 2) -> float:
    """(1 - V delta) log((1 - (V - 1) delta) / delta): the largest divergence of two distributions with all entries >= delta.

    With V unknown, V = 2 holds for every alphabet.
    """
    return max(0.0, 1 - vocabulary * delta) * per_transition_ratio(delta, vocabulary)


def bounds(
    deleted: int,
    order: int,
    delta: float,
    *,
    blocks: int | None = None,
    vocabulary: int | None = None,
    length: int | None = None,
    traces: int = 1,
) -> list[Bound]:
    """All bounds for a trace with these deletions, and what they mean for a detector.

    Args:
        deleted: symbols deleted per trace, at least 1.
        order: order m of the chain, at least 1.
        delta: smallest transition probability, above 0 and at most 1/V.
        blocks: runs that the deleted symbols form, from 1 to `deleted`.
        vocabulary: size V of the alphabet, at least 2; without it the bounds hold for every alphabet.
        length: symbols that are left, at least 1.
        traces: independent traces that the detector sees together, at least 1.

    Raises:
        BadOption: a number out of its range.
    """
    _check(deleted=deleted, order=order, blocks=blocks, length=length, traces=traces)
    size = check_chain(delta, vocabulary)
    if blocks is not None and blocks > deleted:
        raise BadOption("blocks", blocks, f"at most the number of deleted symbols ({deleted})")
    scattered = disturbed(deleted, order, length=length)
    share = per_transition(delta, size)
    found = [
        _nats("proposition-4.1", deleted * order * per_transition_published(delta), "d m log(1/delta), as published"),
        _nats("scattered-ratio", scattered * per_transition_ratio(delta, size), "the ratio bounded on both sides"),
        _nats("scattered", scattered * share, "the largest divergence of two such distributions"),
    ]
    if blocks is not None:
        together = disturbed(deleted, order, blocks=blocks, length=length)
        found.append(_nats("blocks", together * share, f"the deleted symbols form {blocks} runs"))
    least = found[-1].value
    return [*found, *consequences(Divergence(least, least), traces)]


def check_chain(delta: float, vocabulary: int | None) -> int:
    """The alphabet size to calculate with; raises BadOption where no chain has this delta and this alphabet."""
    if vocabulary is not None and vocabulary < 2:
        raise BadOption("vocabulary", vocabulary, "at least 2")
    size = vocabulary or 2
    if not 0 < delta <= 1 / size:
        raise BadOption(
            "delta",
            delta,
            f"above 0 and at most 1/V = {1 / size:.6g} (top-k and top-p sampling make delta 0, and then there is no bound)",
        )
    return size


def _nats(name: str, value: float, how: str) -> Bound:
    return Bound(name, value, "nats", f"{how}; {_CHAIN}")


def _check(**numbers: int | None) -> None:
    for name, number in numbers.items():
        check_count(name, number)
