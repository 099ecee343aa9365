"""Receiver heads by blocks, beside eager attention with a reduction, and beside the plain forward pass.

Ways, all on SmolLM2-135M in float32 on one thread, without the language model head, on the longest shared trace cut to L:
- plain: transformers' SDPA, nothing collected.
- all: our profile of all heads.
- known: our profile of 16 given heads, spread evenly over the layers but the first.
- kept: eager with `output_attentions=True`, every layer's L x L weights alive until the end, then summed over sentences by
  products with an indicator matrix (what the published code does, without its Python loops).
- layered: the same sums, but each layer's weights are dropped as soon as they are summed: a kinder eager than published.
- published (with --reference FOLDER, a checkout of interp-reasoning/thought-anchors): eager attention under the whole causal
  model, logits of every position included, and the published reduction of each head, imported from that folder. Each layer is
  reduced as soon as it is there, since all would not fit into memory; the arithmetic is the same.

Prints JSON: for each L and way the ratio of processor time to the plain pass (paired within a repeat, the ways take turns;
median, and the range of the middle 95 % of the repeats), seconds, peak resident memory over the loaded model (a process of its
own for each way), and how far our profile is from the eager one. Where `kept` would need more than half of the free memory, it is
compared with the other ways on a model cut to as many layers as fit ("cut").

Takes up to an hour: one eager pass at 4,096 tokens is a minute of one core, its published reduction another; one run is noise.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

import machine
from anchors_ways import Bench


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="*", default=[1024, 2048, 4096])
    parser.add_argument(
        "--alone", type=int, nargs="*", default=[16384], help="lengths for our two ways and memory only"
    )
    parser.add_argument(
        "--repeats", type=int, nargs="*", default=[5], help="for each length; the last one for all further ones"
    )
    parser.add_argument("--no-memory", action="store_true", help="leave out the peak memory of --lengths")
    parser.add_argument("--layers", type=int, help="cut the model to this many layers")
    parser.add_argument(
        "--no-cut", action="store_true", help="leave out the comparison with `kept` on a model that is cut"
    )
    parser.add_argument("--alone-layers", type=int, help="the same, for the lengths that are run alone")
    parser.add_argument("--reference", type=Path, help="checkout of interp-reasoning/thought-anchors, for `published`")
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS, metavar=("WAY", "LENGTH"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.memory:
        bench = Bench(int(arguments.memory[1]), arguments.layers, arguments.reference)
        peak, seconds = _peak(bench, arguments.memory[0])
        print(
            json.dumps(
                {"peak": peak, "seconds": seconds, "sentences": len(bench.tokens.starts), "layers": bench.layers}
            )
        )
        return
    report: dict[str, Any] = {"unit": "ratio to the plain forward pass", "lengths": {}, "alone": {}}
    for number, length in enumerate(arguments.lengths):
        repeats = arguments.repeats[min(number, len(arguments.repeats) - 1)]
        report["lengths"][length] = _compare(length, arguments, repeats)
        print(json.dumps({length: report["lengths"][length]}), file=sys.stderr, flush=True)
    for length in arguments.alone:
        report["alone"][length] = _alone(length, arguments.alone_layers or arguments.layers)
        print(json.dumps({length: report["alone"][length]}), file=sys.stderr, flush=True)
    print(json.dumps(report | {"torch": torch.__version__, "machine": machine.describe()}, indent=2))


def _compare(length: int, arguments: argparse.Namespace, repeats: int) -> dict[str, Any]:
    layers = arguments.layers
    bench = Bench(length, layers, arguments.reference)
    heads = bench.model.config.num_attention_heads
    kept = min(bench.layers, int(_free() / 2 / (4 * heads * length**2)))
    left_out = (["kept"] if kept < bench.layers else []) + (["known"] if layers else [])
    shown = {"sentences": len(bench.tokens.starts)} | _timed(bench, repeats, left_out)
    if not arguments.no_memory:
        shown |= _memory(length, layers, [way for way in bench.ways() if way not in left_out], arguments.reference)
    if kept < bench.layers and not arguments.no_cut:
        cut = Bench(length, kept)
        shown["cut"] = _timed(cut, repeats, ["layered", "known"]) | _memory(length, kept, ["plain", "all", "kept"])
    return shown


def _timed(bench: Bench, repeats: int, left_out: list[str]) -> dict[str, Any]:
    ways = {name: run for name, run in bench.ways().items() if name not in left_out}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    results: dict[str, Any] = {}
    for _ in range(repeats):
        for name, run in ways.items():
            start = time.process_time()
            results[name] = run()
            seconds[name].append(time.process_time() - start)
    eager = results.get("layered", results.get("kept"))
    own = results["all"]
    rows = {name: _estimate(np.array(taken) / np.array(seconds["plain"])) for name, taken in seconds.items()}
    shown = {
        "layers": bench.layers,
        "ratio": rows,
        "seconds": {name: round(median(each), 2) for name, each in seconds.items()},
    }
    if eager is not None:
        counted = np.isfinite(own)
        shown["speedup_over"] = {
            name: _estimate(np.array(seconds[name]) / seconds["all"])
            for name in ("layered", "kept", "published")
            if name in seconds
        }
        shown["largest_difference"] = float(abs(own - eager)[counted].max())
    if "published" in results:
        shown["largest_difference_published"] = float(np.nanmax(abs(own - results["published"])))
    return shown


def _estimate(ratios: Any) -> dict[str, float | int]:
    low, high = np.percentile(ratios, [2.5, 97.5])
    return {"value": round(median(ratios), 3), "low": round(low, 3), "high": round(high, 3), "n": len(ratios)}


def _memory(length: int, layers: int | None, ways: list[str], reference: Path | None = None) -> dict[str, Any]:
    return {"peak_mb_over_model": {way: round(_apart(way, length, layers, reference)["peak"] / 1e6, 1) for way in ways}}


def _apart(way: str, length: int, layers: int | None, reference: Path | None = None) -> dict[str, Any]:
    """One way run once in a process of its own: peak memory in bytes, processor seconds."""
    cut = ["--layers", str(layers)] if layers else []
    source = ["--reference", str(reference)] if reference and way == "published" else []
    command = [sys.executable, __file__, "--memory", way, str(length), *cut, *source]
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _peak(bench: Bench, way: str) -> tuple[int, float]:
    """Growth of the peak resident memory while one way runs, in bytes, and its processor seconds."""
    touched = sum(
        float(parameter.sum()) for parameter in bench.model.parameters()
    )  # else weights still come from the file
    assert touched == touched, "weights are numbers"
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is that of loading the model
    before, start = _resident("VmRSS"), time.process_time()
    bench.ways()[way]()
    return _resident("VmHWM") - before, time.process_time() - start


def _alone(length: int, layers: int | None) -> dict[str, Any]:
    """Our ways and the plain pass, once each, time and memory of the same run."""
    found = {way: _apart(way, length, layers) for way in ("plain", "all", *([] if layers else ["known"]))}
    plain = found["plain"]
    return {
        "sentences": plain["sentences"],
        "layers": plain["layers"],
        "seconds": {way: round(each["seconds"], 1) for way, each in found.items()},
        "ratio": {way: round(each["seconds"] / plain["seconds"], 3) for way, each in found.items()},
        "n": 1,
        "peak_mb_over_model": {way: round(each["peak"] / 1e6, 1) for way, each in found.items()},
    }


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def _free() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


if __name__ == "__main__":
    main()
