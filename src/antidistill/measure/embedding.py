"""Sentence embeddings of texts of any length: nothing is cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from antidistill.measure.intervals import Values

_BATCH_TOKENS = 8192


@dataclass
class Encoder:
    """A sentence-transformers model; texts seen before are remembered.

    A text longer than the model's input is cut into chunks that together hold every token; its embedding is the mean of the
    chunk embeddings weighted by their tokens, scaled to unit length again.

    Attributes:
        name: what the user called it.
        model: a `SentenceTransformer`.
        progress: called with a few words before each batch.
    """

    name: str
    model: Any
    progress: Callable[[str], None] = lambda step: None
    _known: dict[str, Values] = field(default_factory=dict, repr=False)

    def embed(self, texts: Sequence[str]) -> Values:
        """Unit vectors, shape (texts, dimensions)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embed(new), strict=True))
        return np.array([self._known[text] for text in texts])

    def _embed(self, texts: Sequence[str]) -> Values:
        chunks = [(row, ids) for row, text in enumerate(texts) for ids in self.chunks(text)]
        vectors: dict[int, list[Values]] = {row: [] for row in range(len(texts))}
        batches = _batches(chunks)
        for number, batch in enumerate(batches):
            self.progress(f"{self.name}: batch {number + 1} of {len(batches)}")
            for (row, ids), vector in zip(batch, self._read([ids for _, ids in batch]), strict=True):
                vectors[row].append(vector * len(ids))
        sums = np.array([np.sum(vectors[row], axis=0) for row in range(len(texts))])
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12), dtype=np.float64)

    def chunks(self, text: str) -> list[list[int]]:
        """Token ids of each chunk, with the special tokens of the model, none longer than its input."""
        encoded = self.model.tokenizer(
            text, truncation=True, max_length=self.model.max_seq_length, return_overflowing_tokens=True, verbose=False
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def _read(self, chunks: list[list[int]]) -> Values:
        import torch

        padded = self.model.tokenizer.pad({"input_ids": chunks}, return_tensors="pt")
        inputs = {name: tensor.to(self.model.device) for name, tensor in padded.items()}
        with torch.inference_mode():
            vectors = self.model(inputs)["sentence_embedding"].float()
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        return np.asarray(vectors.cpu().numpy(), dtype=np.float64)


def _batches(chunks: list[tuple[int, list[int]]]) -> list[list[tuple[int, list[int]]]]:
    """Chunks of like length together; chunks of one text may land in different batches, in any order."""
    batches: list[list[tuple[int, list[int]]]] = [[]]
    for chunk in sorted(chunks, key=lambda chunk: len(chunk[1])):
        if batches[-1] and (len(batches[-1]) + 1) * len(chunk[1]) > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(chunk)
    return batches if batches[0] else []
