"""Trains a teacher's language-model head away from a proxy (DOGe), and stops before the text's own loss grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from antidistill.errors import UsageError
from antidistill.sampling.proxies.examples import Example, encode
from antidistill.sampling.proxies.heads import Head, HeadTraining
from antidistill.sampling.settings import Frame
from antidistill.trace import Trace

_CHUNK = 256
"""Tokens whose logits are held at a time."""


def train_head(
    teacher: Any,
    tokenizer: Any,
    traces: Sequence[Trace],
    proxy: Any,
    training: HeadTraining | None = None,
    frame: Frame | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Head:
    """Trains a copy of the teacher's head; trunk and proxy stay as they are (Li et al. 2025, 2505.19504).

    Loss: mean cross-entropy over the completion, minus lam times the mean KL(teacher || proxy) over the reasoning
    (`HeadTraining.mask`).

    Args:
        teacher: causal language model whose logits are its head's output.
        tokenizer: its tokenizer.
        traces: clean traces of the teacher.
        proxy: causal language model with the same tokenizer.
        training: how.
        frame: how the teacher is asked.
        progress: called with a few words now and then.

    Raises:
        UsageError: fewer than two traces, or a teacher that changes its logits behind the head.
    """
    training, frame = training or HeadTraining(), frame or Frame()
    examples = [e for t in traces if (e := encode(tokenizer, frame, t, training.max_length)).scored]
    if len(examples) < 2:
        raise UsageError("a head is trained on some traces and judged on others: give at least two clean traces.")
    apart = min(max(1, round(len(examples) * training.holdout)), len(examples) - 1)
    course = _Course(teacher, proxy, training)
    return course.run(examples[:-apart], examples[-apart:], progress)


class _Course:
    """One training of a head."""

    def __init__(self, teacher: Any, proxy: Any, training: HeadTraining) -> None:
        import torch

        self._teacher, self._proxy, self._training = teacher, proxy, training
        head = teacher.get_output_embeddings()
        self._own, self._bias = head.weight.detach().float(), getattr(head, "bias", None)
        self._weight = torch.nn.Parameter(self._own.clone())

    def run(self, seen: Sequence[Example], held: Sequence[Example], progress: Callable[[str], None]) -> Head:
        """Trains until the tolerance, the steps or the epochs are used up; the last head within the tolerance is kept."""
        import torch
        from transformers import get_cosine_schedule_with_warmup

        training = self._training
        steps = training.epochs * math.ceil(len(seen) / training.batch)
        optimizer = torch.optim.AdamW([self._weight], lr=training.learning_rate, weight_decay=training.weight_decay)
        schedule = get_cosine_schedule_with_warmup(optimizer, math.ceil(steps * training.warmup), steps)
        last = min(steps, training.max_steps or steps)
        first = self.judge(held)
        best, stopped = (0, self._own.clone(), first), "steps" if last < steps else "epochs"
        for step in range(1, last + 1):
            start = (step - 1) * training.batch % (math.ceil(len(seen) / training.batch) * training.batch)
            self._learn(seen[start : start + training.batch])
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if step % training.check_every and step != last:
                continue
            loss, divergence = self.judge(held)
            progress(f"doge: step {step} of {last}, holdout loss {loss:.4f}, divergence {divergence:.3f}")
            if not loss <= first[0] + training.tolerance:
                stopped = "tolerance"
                break
            best = (step, self._weight.detach().clone(), (loss, divergence))
        step, weight, (after, divergence) = best
        return Head(weight - self._own, step, first[0], after, first[1], divergence, stopped)

    def judge(self, examples: Sequence[Example]) -> tuple[float, float]:
        """Mean cross-entropy over completions and mean divergence over what is to diverge, nats per token."""
        import torch

        with torch.no_grad():
            sums = [self._sums(example) for example in examples]
        scored = sum(example.scored for example in examples)
        diverging = max(sum(map(self._diverging, examples)), 1)
        return float(sum(s[0] for s in sums)) / scored, float(sum(s[1] for s in sums)) / diverging

    def _learn(self, examples: Sequence[Example]) -> None:
        """Adds the gradient of the loss of one batch."""
        scored = sum(example.scored for example in examples)
        shares = sum(map(self._diverging, examples)) if self._training.mask else len(examples)
        for example in examples:
            self._sums(example, weights=(1 / scored, -self._training.lam / max(shares, 1)))

    def _diverging(self, example: Example) -> int:
        """Tokens of a trace that are to diverge: its reasoning, or all of its completion."""
        return example.reasoning - example.prompt if self._training.mask else example.scored

    def _sums(self, example: Example, weights: tuple[float, float] | None = None) -> tuple[float, float]:
        """Summed cross-entropy and divergence of one trace; with `weights` the gradient of their weighted sum is added."""
        import torch
        from torch.nn.functional import cross_entropy, kl_div

        hidden, proxy = self._read(example)
        targets = torch.tensor(example.ids[example.prompt :], device=hidden.device)
        diverging = self._diverging(example)
        totals = [0.0, 0.0]
        for start in range(0, len(targets), _CHUNK):
            end = start + _CHUNK
            logits = hidden[start:end] @ self._weight.T
            logits = logits if self._bias is None else logits + self._bias.float()
            loss = cross_entropy(logits, targets[start:end], reduction="sum")
            inside = max(min(end, diverging) - start, 0)
            width, heat = min(logits.shape[-1], proxy.shape[-1]), self._training.temperature
            apart = kl_div(
                torch.log_softmax(proxy[start : start + inside, :width].float() / heat, -1),
                torch.log_softmax(logits[:inside, :width] / heat, -1),
                reduction="sum",
                log_target=True,
            )
            if weights:
                torch.autograd.backward(weights[0] * loss + weights[1] * apart)
            totals = [totals[0] + float(loss.detach()), totals[1] + float(apart.detach())]
        return totals[0], totals[1]

    def _read(self, example: Example) -> tuple[Any, Any]:
        """What the head reads before each token of the completion, and the proxy's logits there."""
        import torch

        ids = torch.tensor([example.ids], device=self._teacher.device)
        read: list[Any] = []
        head = self._teacher.get_output_embeddings()
        hook = head.register_forward_hook(lambda module, given, out: read.extend((given[0], out)))
        try:
            with torch.no_grad():
                logits = self._teacher(input_ids=ids, use_cache=False).logits
                proxy = self._proxy(input_ids=ids.to(self._proxy.device), use_cache=False).logits
        finally:
            hook.remove()
        if not torch.allclose(logits, read[1].to(logits), atol=1e-3, rtol=1e-3):
            raise UsageError("doge needs a teacher whose logits are its head's output; this one scales or caps them.")
        span = slice(example.prompt - 1, -1)
        return read[0][0, span].float(), proxy[0, span].to(self._teacher.device)
