"""Which guarded trace belongs to which clean one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from antidistill.errors import InputError
from antidistill.trace import Trace


@dataclass(frozen=True, slots=True)
class Pairs:
    """Clean and guarded traces of the same prompts, row by row.

    Attributes:
        clean, guarded: equally long; row i of both answers the same prompt.
        left_out: traces of either side that have no partner (rejected rows, for instance).
    """

    clean: tuple[Trace, ...]
    guarded: tuple[Trace, ...]
    left_out: int = 0

    @property
    def prompts(self) -> list[bytes]:
        """The key of the prompt of each row; rows that share it are never independent."""
        return [trace.key for trace in self.clean]


def pair(clean: Sequence[Trace], guarded: Sequence[Trace]) -> Pairs:
    """Pairs by id where the ids are unique and shared, else by order; the prompts of a pair must be equal.

    Raises:
        InputError: one side is empty, or the two sides do not belong together.
    """
    if not clean or not guarded:
        raise InputError(
            f"nothing to compare: {len(clean)} clean and {len(guarded)} guarded traces; both must have some."
        )
    pairs = _by_id(clean, guarded) or _by_order(clean, guarded)
    _check_prompts(pairs)
    return pairs


def sample(pairs: Pairs, most: int, seed: int) -> Pairs:
    """At most `most` of the pairs (0 = all), whole prompts together, drawn by `seed`; their order is kept."""
    if most == 0 or len(pairs.clean) <= most:
        return pairs
    rows: dict[bytes, list[int]] = {}
    for row, prompt in enumerate(pairs.prompts):
        rows.setdefault(prompt, []).append(row)
    names = list(rows)
    random.Random(seed).shuffle(names)
    kept = sorted([row for name in names for row in rows[name]][:most])
    return Pairs(tuple(pairs.clean[row] for row in kept), tuple(pairs.guarded[row] for row in kept), pairs.left_out)


def _by_id(clean: Sequence[Trace], guarded: Sequence[Trace]) -> Pairs | None:
    ours = {trace.id: trace for trace in clean}
    theirs = {trace.id: trace for trace in guarded}
    if len(ours) < len(clean) or len(theirs) < len(guarded):
        return None
    shared = [name for name in ours if name in theirs]
    if not shared:
        return None
    if 2 * len(shared) < len(theirs):
        raise InputError(
            f"clean and guarded traces do not belong together: only {len(shared)} of {len(theirs)} guarded ids are among the "
            f"{len(ours)} clean ones; give the file that was guarded and the file that came out of it."
        )
    left_out = len(clean) + len(guarded) - 2 * len(shared)
    return Pairs(tuple(ours[name] for name in shared), tuple(theirs[name] for name in shared), left_out)


def _by_order(clean: Sequence[Trace], guarded: Sequence[Trace]) -> Pairs:
    if len(clean) != len(guarded):
        raise InputError(
            f"clean and guarded traces do not belong together: {len(clean)} and {len(guarded)} rows, and no ids that both "
            "have once; give the file that was guarded and the file that came out of it."
        )
    return Pairs(tuple(clean), tuple(guarded))


def _check_prompts(pairs: Pairs) -> None:
    for row, (ours, theirs) in enumerate(zip(pairs.clean, pairs.guarded, strict=True)):
        if ours.prompt != theirs.prompt:
            raise InputError(
                f"clean and guarded traces do not belong together: pair {row} (ids {ours.id!r} and {theirs.id!r}) has the "
                f"prompts {_short(ours.prompt)} and {_short(theirs.prompt)}; give the file that was guarded and the file "
                "that came out of it."
            )


def _short(prompt: str) -> str:
    return repr(prompt if len(prompt) <= 60 else prompt[:57] + "...")
