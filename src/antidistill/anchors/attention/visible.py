"""Which keys a query may see, told for one tile at a time, so that no mask of the whole square exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Visible:
    """A mask that is computed where it is needed. `None` in its place means plain causal attention.

    Attributes:
        rule: mask function of transformers (batch, head, query index, key index) -> bool, by broadcasting.
        query_offset: index of the first query in the whole sequence.
        key_offset: index of the first key in the whole sequence.
        local: a query sees at most the `local` keys up to its own; None where there is no such limit.
    """

    rule: Callable[..., Any]
    query_offset: int
    key_offset: int
    local: int | None = None

    def first_key(self, query: int) -> int:
        """Number of the first key that query number `query`, or one after it, can see."""
        if self.local is None:
            return 0
        return max(0, self.query_offset + query - self.local + 1 - self.key_offset)

    def tile(self, rows: range, columns: range, device: Any) -> Any:
        """True where a query sees a key; shape (rows, columns)."""
        import torch

        queries = torch.arange(rows.start, rows.stop, device=device) + self.query_offset
        keys = torch.arange(columns.start, columns.stop, device=device) + self.key_offset
        zero = torch.zeros(1, 1, 1, 1, dtype=torch.long, device=device)
        seen = self.rule(zero, zero, queries[None, None, :, None], keys[None, None, None, :])
        return seen.expand(1, 1, len(rows), len(columns))[0, 0]


def lazy_mask(
    q_length: int,
    q_offset: Any = 0,
    kv_offset: Any = 0,
    mask_function: Callable[..., Any] | None = None,
    attention_mask: Any = None,
    local_size: int | None = None,
    **_: Any,
) -> Visible | None:
    """What transformers' `AttentionMaskInterface` calls instead of building a mask; the names are its own."""
    from transformers import masking_utils

    rule = mask_function or masking_utils.causal_mask_function
    if attention_mask is not None and not bool(attention_mask.all()):
        rule = masking_utils.and_masks(rule, masking_utils.padding_mask_function(attention_mask))
    elif rule is masking_utils.causal_mask_function:
        return None
    return Visible(rule, int(q_offset), int(kv_offset), local_size)
