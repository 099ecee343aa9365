"""Speed of antidistillation sampling: against one teacher step and two proxy steps alone, and against the public loop.

Prints JSON. Every figure is a ratio of tokens per second in one process: the ways take turns, round by round, with the same
models in float32, the same prompts and the same number of new tokens, prompts included; the figure is the median of the
rounds' ratios with a percentile-bootstrap interval over rounds. `alone` calls the three models as plain modules with their
caches on given tokens: no sampling, no method. `--clock cpu` counts the process's own processor time, which says the same as
the clock on an idle machine and can still be read on a shared one (with OMP_NUM_THREADS=1).

`--public` names a clone of locuslab/antidistillation-sampling (8b79c72); its two classes run as they are, in the call of
`generate` that its script makes (temperature, top-p 0.95, transformers' top-k 50).
"""

import argparse
import ast
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from transformers import LogitsProcessor, LogitsProcessorList

import machine
from antidistill.measure.models import SMALL_LANGUAGE_MODEL, load_language_model
from antidistill.sampling import Aids, Frame, Prompt, Settings, make, sample
from antidistill.sampling.proxies.gradient import gradient
from antidistill.trace import Trace

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TEMPERATURE, LAM, EPS = 0.6, 0.05, 0.01
FRAME = Frame(closings=())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", default=SMALL_LANGUAGE_MODEL)
    parser.add_argument("--proxy", default=SMALL_LANGUAGE_MODEL)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64, help="new tokens per trace")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--public", type=Path, help="clone of the public code")
    arguments = parser.parse_args()
    bench = Bench(arguments.teacher, arguments.proxy, arguments.batch, arguments.tokens)
    ways: dict[str, Callable[[], int]] = {
        "alone": bench.alone,
        "ads": lambda: bench.ours("ads"),
        "ads, top-k and top-p": lambda: bench.ours("ads", top_k=50, top_p=0.95),
        "none": lambda: bench.ours("none"),
    }
    if arguments.public:
        ways["public ads"] = bench.public(arguments.public)
    speeds = _rounds(ways, arguments.rounds, time.process_time if arguments.clock == "cpu" else time.perf_counter)
    pairs = [("ads", "alone"), ("ads, top-k and top-p", "alone"), ("none", "ads")]
    pairs += [(way, "public ads") for way in ("ads", "ads, top-k and top-p")] if arguments.public else []
    print(
        json.dumps(
            {
                "ratios": {f"{first} / {second}": _ratio(speeds[first], speeds[second]) for first, second in pairs},
                "tokens_per_second": {way: round(statistics.median(values), 1) for way, values in speeds.items()},
                "setting": {name: value for name, value in vars(arguments).items() if name != "public"},
                "threads": torch.get_num_threads(),
                "machine": machine.describe(),
            },
            indent=1,
        )
    )


class Bench:
    """Models, prompts and the ways to write a batch; every way returns the tokens it wrote."""

    def __init__(self, teacher: str, proxy: str, batch: int, tokens: int) -> None:
        loaded, stand_in = load_language_model(teacher), load_language_model(proxy)
        self.teacher, self.tokenizer, self.proxy = loaded.model, loaded.tokenizer, stand_in.model
        self.batch, self.tokens = batch, tokens
        self.prompts = list(_questions(batch))
        traces = list(_traces(4))
        self.aids = Aids(self.proxy, gradient(self.proxy, self.tokenizer, traces, FRAME, max_length=256))
        self.plus, self.minus = self.aids.pair(EPS, "float32")
        # No trace may end early, or the ways would do unequal work.
        self.teacher.generation_config.eos_token_id = None
        self.pad, self.tokenizer.eos_token = self.tokenizer.eos_token_id, None

    def padded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Prompts with padding on the left, and their mask."""
        asked = [FRAME.prompt_ids(self.tokenizer, prompt) for prompt in self.prompts]
        width = max(map(len, asked))
        ids = torch.tensor([[self.pad] * (width - len(tokens)) + tokens for tokens in asked])
        mask = torch.tensor([[0] * (width - len(tokens)) + [1] * len(tokens) for tokens in asked])
        return ids, mask

    def alone(self) -> int:
        """Teacher and two proxies read the prompts and then one given token after the other."""
        ids, mask = self.padded()
        for model in (self.teacher, self.plus, self.minus):
            self._steps(model, ids, mask)
        return self.batch * self.tokens

    def _steps(self, model: Any, ids: torch.Tensor, mask: torch.Tensor) -> None:
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        cache, token = None, ids
        with torch.inference_mode():
            for _ in range(self.tokens):
                out = model(
                    input_ids=token,
                    attention_mask=mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                cache, token, positions = out.past_key_values, ids[:, -1:], positions[:, -1:] + 1
                mask = torch.cat((mask, torch.ones_like(token)), -1)

    def ours(self, method: str, **settings: Any) -> int:
        """Our loop."""
        chosen = Settings(
            temperature=TEMPERATURE, reasoning_tokens=self.tokens, batch=self.batch, frame=FRAME, **settings
        )
        sampler = make(method, **({"lam": LAM, "eps": EPS} if method == "ads" else {}))
        found = sample(self.teacher, self.tokenizer, self.prompts, sampler, chosen, self.aids)
        return sum(trace.meta["sampling"]["reasoning_tokens"] for trace in found)

    def public(self, clone: Path) -> Callable[[], int]:
        """The public loop, on the same three models."""
        names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional, "LogitsProcessor": LogitsProcessor}
        classes: list[ast.stmt] = [
            node for node in ast.walk(ast.parse((clone / "gentraces.py").read_text())) if isinstance(node, ast.ClassDef)
        ]
        exec(compile(ast.Module(classes, type_ignores=[]), "gentraces.py", "exec"), names)
        ids, mask = self.padded()

        def write() -> int:
            names["student"], names["dstudent"] = (names["CachedModelWrapper"](m) for m in (self.plus, self.minus))
            term = names["LogprobsModifier"](LAM, EPS, mask, 1.0)
            with torch.inference_mode():
                out = self.teacher.generate(
                    input_ids=ids, attention_mask=mask, max_length=ids.shape[1] + self.tokens, temperature=TEMPERATURE,
                    do_sample=True, top_p=0.95, logits_processor=LogitsProcessorList([term]), renormalize_logits=True,
                    use_cache=True, eos_token_id=None, pad_token_id=self.pad, repetition_penalty=1.0,
                )  # fmt: skip
            return int(out.shape[0] * (out.shape[1] - ids.shape[1]))

        return write


def _rounds(ways: dict[str, Callable[[], int]], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Tokens per second of each way in each round; one round before them warms up."""
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, write in ways.items():
            start = clock()
            tokens = write()
            if number:
                speeds[way].append(tokens / (clock() - start))
    return speeds


def _ratio(first: Sequence[float], second: Sequence[float]) -> dict[str, float | int]:
    ratios = np.array(first) / np.array(second)
    drawn = np.random.default_rng(0).choice(ratios, (2000, len(ratios)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    value = float(np.median(ratios))
    return {"value": round(value, 3), "low": round(float(low), 3), "high": round(float(high), 3), "n": len(ratios)}


def _questions(count: int) -> Iterator[Prompt]:
    for row in pq.read_table(SHARED / "questions_gsm8k_train.parquet").slice(0, count).to_pylist():
        yield Prompt(str(row["id"]), row["question"])


def _traces(count: int) -> Iterator[Trace]:
    for row in pq.read_table(SHARED / "traces_gsm8k_4models.parquet").slice(0, count).to_pylist():
        yield Trace(row["id"], row["question"], row["reasoning"], row["response"])


if __name__ == "__main__":
    main()
