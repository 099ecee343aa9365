"""What a reserve of text hides of cuts, and what it costs: the pacer alone, on a clock that jumps from event to event.

As `pacing.py`, but without sockets and processes, so that nothing but the pacer and the engine's rhythm counts: an engine
writes shared traces, one word an event, with random times between them; the defense's editor and the pacer of the proxy give
out what the client sees. The rate of the pacing is that of the engine, times its share, less the share of the text that is cut.

    python benchmarks/pacing_reserve.py > benchmarks/pacing_reserve.json
"""

import argparse
import asyncio
import json
import random
import sys
from pathlib import Path
from statistics import mean
from typing import Any

import antidistill as ad
import machine
from pacing import CHARACTERS, KEY, METHODS, SHARED, Seen, _told

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.serve.clock import Clock

from antidistill.serve.app.pacer import Pacer
from antidistill.serve.demo.scripts import words
from antidistill.serve.guard.parts import Paced, joined
from antidistill.serve.policies import PacingSettings
from antidistill.trace import Trace, trace_key

ANSWER = b"\0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=200)
    parser.add_argument("--pace", type=float, default=50, help="events per second of each stream")
    parser.add_argument("--rates", type=float, nargs="*", default=[1.0, 0.9], help="pacing, share of the engine's")
    parser.add_argument("--reserves", type=int, nargs="*", default=[0, 128, 256, 512, 1024], help="characters")
    arguments = parser.parse_args()
    found = {trace.prompt: trace for trace in ad.read(SHARED) if 150 < len(words(trace.reasoning)) < 400}
    traces = list(found.values())[: arguments.traces]
    rate = arguments.pace * mean(len(t.reasoning) / len(words(t.reasoning)) for t in traces)
    report: dict[str, Any] = {}
    for method, options in METHODS.items():
        defense = ad.defense(method, key=KEY, **options)
        kept = mean(len(ad.guard(t, defense).reasoning) / len(t.reasoning) for t in traces)
        report[method] = {"share_kept": round(kept, 3)}
        for share in arguments.rates:
            for reserve in arguments.reserves:
                seconds = round(CHARACTERS / (share * kept * rate), 4)
                pacing = PacingSettings(characters=CHARACTERS, seconds=seconds, reserve=reserve)
                streams = [
                    _stream(number, trace, defense, pacing, arguments.pace) for number, trace in enumerate(traces)
                ]
                told = _told(method, options, traces, streams)
                name = f"rate {share:g}, reserve {reserve}"
                began = mean(stream.pieces[0][0] for stream in streams)
                report[method][name] = {"seconds": seconds, "first_piece_s": round(began, 3), **told}
    head = {**vars(arguments), "engine_characters_per_s": round(rate, 1), "n_traces": len(traces)}
    print(json.dumps({**head, **report, "machine": machine.describe()}, indent=2))


def _stream(number: int, trace: Trace, defense: Any, pacing: PacingSettings, pace: float) -> Seen:
    """What a client of this trace sees, and when."""
    pieces: list[tuple[float, str]] = []
    times: dict[str, float] = {}

    async def story() -> None:
        loop, rng = asyncio.get_running_loop(), random.Random(number)
        editor = defense.begin(trace_key(trace.prompt))

        async def send(parts: Any) -> None:
            out = joined(parts)
            if ANSWER in out:
                times["answered"] = loop.time()
            if text := out.replace(ANSWER, b"").decode():
                pieces.append((loop.time(), text))

        pacer = Pacer(pacing, 65_536, send)
        for word in words(trace.reasoning):
            if text := editor.feed(word):
                await pacer.put([_part(text)])
            await asyncio.sleep(rng.uniform(0.5, 1.5) / pace)
        times["written"] = loop.time()
        tail = editor.close()
        await pacer.put([*([_part(tail)] if tail else []), ANSWER])
        await pacer.drain()
        pacer.stop()

    loop = Clock()
    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
    return Seen(pieces, times["answered"], times["answered"] - times["written"])


def _part(text: str) -> Paced:
    return Paced("a", {"reasoning": text}, lambda fields: [fields["reasoning"].encode()])


if __name__ == "__main__":
    main()
