"""The gradient of a proxy's loss on clean holdout traces, the direction that antidistillation sampling follows."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from antidistill.errors import BadOption, InputError, OutputError, UsageError
from antidistill.sampling.proxies.examples import Example, encode
from antidistill.sampling.settings import Frame
from antidistill.trace import Trace

WEIGHTS = ("tokens", "traces")


class Facts(NamedTuple):
    """What a gradient is the gradient of.

    Attributes:
        loss: of the proxy on the holdout traces, nats per token (averaged as `weight` says).
        norm: Euclidean norm of the gradient; it is neither clipped nor scaled.
        traces, tokens: holdout traces, and their tokens that the loss counts.
        weight: "tokens": mean over all tokens, the loss of the paper; "traces": mean over traces of their means, as the
            public code has it, so that short traces weigh as much as long ones.
        digest: SHA-256 of the values, first 16 hexadecimal digits.
    """

    loss: float
    norm: float
    traces: int
    tokens: int
    weight: str
    digest: str


@dataclass(frozen=True, slots=True)
class Gradient:
    """A gradient; it is that of the mean loss, whatever the number of processes.

    Attributes:
        values: by parameter name, float32, of the parameters' shapes.
        of: what it is the gradient of.
    """

    values: Mapping[str, Any]
    of: Facts

    @property
    def facts(self) -> dict[str, Any]:
        """What a record says of it."""
        return self.of._asdict()

    def save(self, path: Path) -> None:
        """Writes the gradient as safetensors.

        Raises:
            OutputError: the file cannot be written.
        """
        from safetensors.torch import save_file

        values = {name: value.contiguous().cpu() for name, value in self.values.items()}
        draft = path.with_name(f".{path.name}.part")
        try:
            save_file(values, draft, metadata={"antidistill": orjson.dumps(self.facts).decode()})
            draft.replace(path)
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({error.strerror or error}).") from error
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Gradient:
        """The gradient in a file that `save` wrote.

        Raises:
            InputError: the file is missing or is no such file.
        """
        values, facts = read_tensors(path, "gradient")
        try:
            return cls(values, Facts(**facts))
        except TypeError:
            raise InputError(f"{path} holds no gradient: give a file that antidistill wrote for ads.") from None

    def check(self, proxy: Any) -> None:
        """Raises UsageError unless the gradient has the parameters of `proxy`."""
        shapes = {name: tuple(value.shape) for name, value in proxy.named_parameters()}
        mine = {name: tuple(value.shape) for name, value in self.values.items()}
        odd = sorted(name for name in shapes.keys() | mine.keys() if shapes.get(name) != mine.get(name))
        if odd:
            raise UsageError(
                f"the gradient does not belong to this proxy ({len(odd)} parameters differ, such as {odd[0]}): compute it "
                "with the proxy that is used."
            )


def gradient(
    proxy: Any,
    tokenizer: Any,
    traces: Sequence[Trace],
    frame: Frame | None = None,
    *,
    weight: str = "tokens",
    max_length: int = 1024,
    progress: Callable[[str], None] = lambda step: None,
) -> Gradient:
    """The gradient of the proxy's mean token loss on clean holdout traces (ADS paper, section 3).

    One process, float32, no dropout, no clipping. The loss counts reasoning, closing, answer and the token that ends the
    text, not the prompt.

    Args:
        proxy: causal language model; not changed (one of lower precision is copied).
        tokenizer: the teacher's tokenizer.
        traces: clean traces of the teacher for prompts of their own.
        frame: how the teacher was asked.
        weight: how tokens are averaged; see `Facts`.
        max_length: tokens of prompt and completion; longer traces are cut off at the end.
        progress: called with a few words now and then.

    Raises:
        BadOption: an unknown weight.
        UsageError: no token of the traces is left to learn from.
    """
    if weight not in WEIGHTS:
        raise BadOption("weight", weight, f"one of {', '.join(WEIGHTS)}")
    examples = [encode(tokenizer, frame or Frame(), trace, max_length) for trace in traces]
    counted = [example for example in examples if example.scored]
    total = sum(example.scored for example in counted)
    if not total:
        raise UsageError("no holdout trace has a token behind its prompt: give clean traces, or a larger max_length.")
    loss = 0.0
    with _exact(proxy) as model:
        sums = {name: value.new_zeros(value.shape) for name, value in model.named_parameters()}
        for number, example in enumerate(counted, 1):
            share = 1 / total if weight == "tokens" else 1 / (len(counted) * example.scored)
            loss += _accumulate(model, example, share, sums)
            progress(f"gradient: {number} of {len(counted)} traces")
    return Gradient(sums, Facts(loss, _norm(sums), len(counted), total, weight, _digest(sums)))


def _accumulate(model: Any, example: Example, share: float, sums: Mapping[str, Any]) -> float:
    """Adds the gradient of `share` times the summed loss of one trace, and returns that loss."""
    import torch
    from torch.nn.functional import cross_entropy

    ids = torch.tensor([example.ids], device=model.device)
    with torch.enable_grad():
        logits = model(input_ids=ids, use_cache=False).logits[0, example.prompt - 1 : -1]
        loss = cross_entropy(logits.float(), ids[0, example.prompt :], reduction="sum") * share
        parts = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    for total, part in zip(sums.values(), parts, strict=True):
        if part is not None:
            total.add_(part)
    return float(loss.detach())


def is_exact(model: Any) -> bool:
    """Whether all parameters are float32."""
    import torch

    return all(value.dtype == torch.float32 for value in model.parameters())


@contextmanager
def _exact(proxy: Any) -> Iterator[Any]:
    """The proxy in float32 and evaluation mode, all parameters with gradients; as it was afterwards."""
    model = proxy if is_exact(proxy) else copy.deepcopy(proxy).float()
    wanted, training = [value.requires_grad for value in model.parameters()], model.training
    try:
        yield model.eval().requires_grad_(True)
    finally:
        model.train(training)
        for value, flag in zip(model.parameters(), wanted, strict=True):
            value.requires_grad_(flag)


def _norm(values: Mapping[str, Any]) -> float:
    return math.sqrt(sum(float(value.double().square().sum()) for value in values.values()))


def _digest(values: Mapping[str, Any]) -> str:
    found = hashlib.sha256()
    for name in sorted(values):
        found.update(name.encode() + values[name].contiguous().cpu().numpy().tobytes())
    return found.hexdigest()[:16]


def read_tensors(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors and facts of a file of ours.

    Raises:
        InputError: the file is missing or is no such file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            facts = (file.metadata() or {})["antidistill"]
            return {name: file.get_tensor(name) for name in file.keys()}, orjson.loads(facts)  # noqa: SIM118
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(f"{path} holds no {kind} that this package wrote ({error}): make it anew.") from error
