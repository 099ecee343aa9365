"""Generated event streams through the guarded streams of every dialect: no leak, no crash, no lost answer byte.

A stream holds a reasoning with a sentence that must go, in pieces of any size, and its bytes are cut anywhere. Two thirds of the
streams are well formed: the answer must come out whole, the reasoning must be what a file would hold, and the sentence must not
leave. One third is damaged (bytes changed, lost, doubled, cut off): it must end without an exception. What leaves then is not
checked, because damage may turn reasoning into an answer.

    python benchmarks/fuzz_serve.py --streams 100000        # prints JSON
    python benchmarks/fuzz_serve.py --atheris -runs=100000  # coverage-guided, needs atheris
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

import antidistill as ad
import machine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.serve.replay import CASES, context, events, guarded, read, run

from antidistill.trace import Trace

SECRET = "Wait, the secret step qzxj fails"
WORDS = [
    "So x = 3. ",
    "Hmm, no. ",
    "It is 4.\n\n",
    "Then 5. ",
    "Alternatively, 6. ",
    "é 😀 ",
    "等等。",
    "1. First. ",
    '"q" ',
    "\\(a\\). ",
]


def main() -> None:
    if "--atheris" in sys.argv:
        _atheris()
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    outcomes: Counter[str] = Counter()
    for number in range(arguments.streams):
        outcomes[_outcome(random.Random(arguments.seed * 1_000_003 + number))] += 1
    print(
        json.dumps(
            {
                "streams": arguments.streams,
                "outcomes": dict(outcomes),
                "seconds": round(time.monotonic() - began),
                "machine": machine.describe(),
            },
            indent=2,
        )
    )


def _outcome(rng: random.Random) -> str:
    """What became of one stream: `whole`, `damaged`, or how a law was broken."""
    try:
        return _one(rng)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return f"crash: {type(error).__name__}"


def _one(rng: random.Random) -> str:
    route, style = rng.choice(CASES)
    reasoning = "Start. " + "".join(rng.choices(WORDS, k=rng.randint(0, 8)))
    reasoning += f"Go on. {SECRET}. " + "".join(rng.choices(WORDS, k=rng.randint(0, 8))) + "End."
    answer = "".join(rng.choices(WORDS, k=rng.randint(1, 5)))
    trace = Trace("1", "p", reasoning, answer)
    own = context("p", k=200)
    size = rng.choice((1, 2, 5, 13, 40))
    sent = events(route, style, trace, lambda text: [text[i : i + size] for i in range(0, len(text), size)])
    if route != "/api/chat" and rng.random() < 0.3:
        sent.insert(rng.randrange(len(sent)), b": ping\n\n")
    data = b"".join(sent)
    if rng.random() < 1 / 3:
        run(route, own, _cut(_damaged(data, rng), rng))
        return "damaged"
    out = run(route, own, _cut(data, rng))
    said = read(route, style, out)
    if "qzxj" in "".join(said.reasoning) or b"qzxj" in out:
        return "leak"
    if set(said.reasoning) != {guarded(trace, own)}:
        return "not as in a file"
    return "whole" if said.answer == answer else "lost answer"


def _cut(data: bytes, rng: random.Random) -> list[bytes]:
    pieces, most = [], rng.choice((3, 30, 300, 5000))
    while data:
        size = rng.randint(1, most)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def _damaged(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + data[at + rng.randint(1, 30) :]
        elif kind == 2:
            end = min(len(data), at + rng.randint(1, 300))
            data = data[:end] + data[at:end] + data[end:]
        else:
            data = data[:at]
        if not data:
            return b"x"
    return data


def _atheris() -> None:
    import atheris  # type: ignore[import-untyped]

    for name in [name for name in sys.modules if name.startswith("antidistill.serve")]:
        del sys.modules[name]  # read again, with instruments
    with atheris.instrument_imports(include=["antidistill.serve"]):
        from antidistill.serve.dialects.table import DIALECTS
        from antidistill.serve.guard.context import Context
        from antidistill.serve.guard.lane import Guard
        from antidistill.serve.guard.parts import joined
    own = Context(Guard(ad.defense("traceguard", key=b"0123456789abcdef", k=20), bytes(32)))
    routes = sorted(DIALECTS)

    def one(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        stream = DIALECTS[routes[provider.ConsumeIntInRange(0, len(routes) - 1)]].stream(own)
        size = provider.ConsumeIntInRange(1, 64)
        body = provider.ConsumeBytes(4096)
        for at in range(0, len(body), size):
            joined(stream.feed(body[at : at + size]))
        joined(stream.finish())

    atheris.Setup([argument for argument in sys.argv if argument != "--atheris"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
