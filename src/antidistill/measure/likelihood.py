"""How unlikely a language model finds each token of a text: sliding windows, every token scored exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WINDOW, STRIDE = 2048, 512
_BATCH_TOKENS = 2048
_HEAD_ROWS = 512


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses of the tokens of one text.

    Attributes:
        nats: negative log likelihood of each token, shape (tokens,).
        starts: character offset of each token, shape (tokens,).
    """

    nats: NDArray[np.float64]
    starts: NDArray[np.int64]


class Piece(NamedTuple):
    """One window: tokens `[start, end)` are read, the predictions of `[scored, end)` are kept."""

    start: int
    scored: int
    end: int


def windows(tokens: int, window: int = WINDOW, stride: int = STRIDE) -> Iterator[Piece]:
    """Windows over a sequence whose token 0 is the start token (read, never scored).

    The first window scores all it reads; each further one moves on by `stride` and scores only what no window before it
    scored, with at least `window - stride` tokens of context. The last may be shorter. (TraceGuard paper, appendix E.1.)
    """
    scored = 1
    start = 0
    while scored < tokens:
        end = min(start + window, tokens)
        yield Piece(start, scored, end)
        scored, start = end, start + stride


@dataclass
class LanguageModel:
    """A causal language model that scores texts; texts seen before are remembered.

    Attributes:
        name: what the user called it.
        model, tokenizer: of the transformers library.
        progress: called with a few words before each batch.
        window: tokens read at a time.
        stride: tokens that each window after the first moves on and scores.
    """

    name: str
    model: Any
    tokenizer: Any
    progress: Callable[[str], None] = lambda step: None
    window: int = WINDOW
    stride: int = STRIDE
    _known: dict[str, Losses] = field(default_factory=dict, repr=False)

    def count(self, text: str) -> int:
        """Tokens of `text`, without special tokens."""
        return len(self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids)

    def losses(self, texts: Sequence[str]) -> list[Losses]:
        """Loss of every token of each text (no special token is scored)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._score(new), strict=True))
        return [self._known[text] for text in texts]

    def _score(self, texts: Sequence[str]) -> list[Losses]:
        encoded = [
            self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False) for text in texts
        ]
        sequences = [[self._start_token, *item.input_ids] for item in encoded]
        nats = [np.zeros(len(sequence) - 1) for sequence in sequences]
        pieces = [
            (row, piece)
            for row, sequence in enumerate(sequences)
            for piece in windows(len(sequence), self.window, self.stride)
        ]
        done, total = 0, sum(map(len, nats))
        for batch in _batches(pieces):
            self.progress(f"{self.name}: {done:,} of {total:,} tokens")
            done += sum(piece.end - piece.scored for _, piece in batch)
            for (row, piece), values in zip(batch, self._read(sequences, batch), strict=True):
                nats[row][piece.scored - 1 : piece.end - 1] = values
        starts = [np.array([start for start, _ in item.offset_mapping], dtype=np.int64) for item in encoded]
        return [Losses(*pair) for pair in zip(nats, starts, strict=True)]

    @property
    def _start_token(self) -> int:
        """The token before the text, so that the first token of the text is scored too."""
        found = self.tokenizer.bos_token_id
        return int(self.tokenizer.eos_token_id if found is None else found)

    def _read(self, sequences: list[list[int]], batch: list[tuple[int, Piece]]) -> list[NDArray[np.float64]]:
        """Losses of the scored tokens of each window of one batch."""
        import torch

        width = max(piece.end - piece.start for _, piece in batch)
        ids = torch.zeros((len(batch), width), dtype=torch.long)
        for line, (row, piece) in enumerate(batch):
            ids[line, : piece.end - piece.start] = torch.tensor(sequences[row][piece.start : piece.end])
        first = min(piece.scored - piece.start for _, piece in batch)
        device = self.model.device
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bfloat16(device)):
            # Padding stands behind the text, where a causal model cannot look, so no mask is needed.
            logits = self.model(input_ids=ids.to(device), use_cache=False, logits_to_keep=width - first + 1).logits
        targets = ids[:, first:].to(device)
        nats = _cross_entropy(logits[:, :-1], targets)
        return [
            nats[line, piece.scored - piece.start - first : piece.end - piece.start - first]
            for line, (_, piece) in enumerate(batch)
        ]


def has_bfloat16(device: Any) -> bool:
    """Whether the processor multiplies in bfloat16 itself; emulated, it is many times slower than float32."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    known = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16") or known.get("arm_bf16"))


def _batches(pieces: list[tuple[int, Piece]]) -> Iterator[list[tuple[int, Piece]]]:
    """Windows of like length and like scored part together, at most `_BATCH_TOKENS` with padding."""
    batch: list[tuple[int, Piece]] = []
    for item in sorted(pieces, key=_likeness):
        width = item[1].end - item[1].start
        if batch and ((len(batch) + 1) * width > _BATCH_TOKENS or (item[1].start == 0) != (batch[0][1].start == 0)):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _likeness(item: tuple[int, Piece]) -> tuple[bool, int]:
    return item[1].start > 0, item[1].end - item[1].start


def _cross_entropy(logits: Any, targets: Any) -> NDArray[np.float64]:
    """Losses in float32, a few rows at a time, since a whole batch of logits in float32 takes much memory."""
    import torch
    from torch.nn.functional import cross_entropy

    flat, wanted = logits.flatten(0, 1), targets.flatten()
    with torch.inference_mode():
        parts = [
            cross_entropy(rows.float(), aims, reduction="none")
            for rows, aims in zip(flat.split(_HEAD_ROWS), wanted.split(_HEAD_ROWS), strict=True)
        ]
    return np.asarray(torch.cat(parts).reshape(targets.shape).cpu().numpy(), dtype=np.float64)
