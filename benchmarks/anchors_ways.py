"""The ways that `anchors.py` compares: the model, one trace, and what is done with them."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from antidistill.anchors.receiver_heads.options import Options
from antidistill.anchors.receiver_heads.profile import profile
from antidistill.anchors.tokens import TokenMap, map_tokens
from antidistill.measure.models import load_language_model
from antidistill.text import split
from antidistill.trace import Trace

TRACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces_illposed_stress.parquet"
OPTIONS = Options(depth="none")
RECEIVERS = 16


class Bench:
    """The model, a trace of some tokens, and the ways."""

    def __init__(self, length: int, layers: int | None = None, reference: Path | None = None) -> None:
        loaded = load_language_model()
        self.model: Any = loaded.model
        if layers:
            self.model.model.layers = self.model.model.layers[:layers]
            # One more than there are: what is saved behind the last attention would count too much in a cut model.
            self.model.config.num_hidden_layers = layers + 1
        self.layers = len(self.model.model.layers)
        self._code = None if reference is None else reference_code(reference)
        self.tokens = _trace(loaded.tokenizer, length)
        self.ids = torch.from_numpy(self.tokens.ids)[None]
        heads = self.model.config.num_attention_heads
        places = np.linspace(heads, self.layers * heads - 1, RECEIVERS * self.layers // 30).astype(int)
        self.receivers = sorted({(int(place) // heads, int(place) % heads) for place in places})

    def ways(self) -> dict[str, Callable[[], Any]]:
        """What is compared."""
        return {
            "plain": self.plain,
            "all": lambda: profile(self.model, self.tokens, OPTIONS).values,
            "known": lambda: profile(self.model, self.tokens, OPTIONS, heads=self.receivers).values,
            "layered": lambda: self.eager(keep=False),
            "kept": lambda: self.eager(keep=True),
            **({} if self._code is None else {"published": self.published}),
        }

    def plain(self) -> None:
        """The forward pass alone."""
        with torch.inference_mode():
            self.model.model(input_ids=self.ids, use_cache=False)

    def eager(self, keep: bool) -> Any:
        """The profile from eager weights; `keep` holds those of all layers until the end."""
        self.model.set_attn_implementation("eager")
        found: list[Any] = []
        hooks = (
            [] if keep else [layer.self_attn.register_forward_hook(self._reduce(found)) for layer in self._modules()]
        )
        try:
            with torch.inference_mode():
                output = self.model.model(input_ids=self.ids, use_cache=False, output_attentions=keep)
                weights = output.attentions if keep else ()
                found += [self._sums(layer[0]) for layer in weights]
        finally:
            for hook in hooks:
                hook.remove()
            self.model.set_attn_implementation("sdpa")
        return np.concatenate([each.numpy() for each in found])

    def published(self) -> Any:
        """The profile as the published code takes it, but for the layers that it keeps until the end.

        Eager attention under the whole causal model, logits of every position included, and the published reduction of each
        head. A layer is reduced as soon as it is there: the arithmetic is the same, and all layers would not fit into memory.
        """
        code = self._code
        assert code is not None
        self.model.set_attn_implementation("eager")
        bounds = list(zip(self.tokens.starts.tolist(), self.tokens.ends.tolist(), strict=True))
        found: list[Any] = []

        def hook(_module: Any, _inputs: Any, output: Any) -> Any:
            for head in output[1][0]:
                means = code._compute_averaged_matrix(head.numpy().astype(np.float32), bounds)
                found.append(code.get_vertical_scores(means, OPTIONS.gap, False, "mean"))
            return output[0], None

        hooks = [layer.self_attn.register_forward_hook(hook) for layer in self._modules()]
        try:
            with torch.no_grad():
                self.model(input_ids=self.ids, use_cache=False)
        finally:
            for each in hooks:
                each.remove()
            self.model.set_attn_implementation("sdpa")
        return np.array(found)

    def _modules(self) -> Any:
        return self.model.model.layers

    def _reduce(self, found: list[Any]) -> Callable[..., Any]:
        def hook(_module: Any, _inputs: Any, output: Any) -> Any:
            found.append(self._sums(output[1][0]))
            return output[0], None

        return hook

    def _sums(self, weights: Any) -> Any:
        """Vertical scores of one layer's weights, shape (heads, sentences)."""
        starts, ends = self.tokens.starts, self.tokens.ends
        member = torch.zeros(len(starts), weights.shape[-1])
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            member[row, start:end] = 1 / (end - start)
        means = member @ (weights @ member.T)
        rows = torch.ones(len(starts), len(starts)).tril(-OPTIONS.gap)
        return (means * rows).sum(1) / rows.sum(0)


def _trace(tokenizer: Any, length: int) -> TokenMap:
    rows = pq.read_table(TRACES, columns=["question", "reasoning"]).to_pylist()
    row = max(rows, key=lambda row: len(row["reasoning"]))
    trace = Trace("longest", row["question"], row["reasoning"][: 6 * length], "")
    mapped = map_tokens(tokenizer, trace, split(trace.reasoning))
    cut = mapped.cut(length)
    real = cut.sizes > 0
    return TokenMap(cut.ids, cut.starts[real], cut.ends[real])


def reference_code(folder: Path) -> Any:
    """The published reduction out of a checkout of interp-reasoning/thought-anchors; its package itself cannot be imported."""
    root = folder / "whitebox-analyses"
    if not (root / "attention_analysis" / "attn_funcs.py").is_file():
        raise SystemExit(f"{folder} is no checkout of interp-reasoning/thought-anchors: clone it, and give its folder.")
    package = ModuleType("attention_analysis")
    package.__path__ = [str(root / "attention_analysis")]
    sys.modules["attention_analysis"] = package
    sys.path.insert(0, str(root))
    return importlib.import_module("attention_analysis.attn_funcs")
