"""Trains the two taggers of sentence functions that come with the package and writes them where the package reads them.

`benchmarks/functions.py` measures the same recipe on problems that were left out. With `--states` also the one that reads along
with SmolLM2-135M, some minutes of one core.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import labelled  # noqa: E402
from antidistill.anchors.functions import trained  # noqa: E402
from antidistill.anchors.functions.training import Labelled, choose, fit  # noqa: E402

FOLDER = ROOT / "src" / "antidistill" / "anchors" / "functions"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, default=labelled.LABELS)
    parser.add_argument("--traces", type=Path, default=labelled.TRACES)
    parser.add_argument("--states", action="store_true", help="also the tagger of hidden states; needs torch")
    parser.add_argument("--cache", type=Path, help="file (.npz) that keeps the hidden states for another run")
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, help="folder for trained.npz and states.npz")
    arguments = parser.parse_args()
    rows = labelled.read(arguments.labels, arguments.traces)
    examples = [Labelled(row.trace.prompt, row.sentences, row.functions, row.problem) for row in rows]
    strength = choose(examples)
    text = fit(examples, strength=strength)
    trained.save(arguments.output / "trained.npz", text)
    _told(arguments.output / "trained.npz", strength)
    if arguments.states:
        _train_states(examples, text, strength, arguments)


def _train_states(
    examples: list[Labelled], text: trained.LinearModel, text_strength: float, arguments: argparse.Namespace
) -> None:
    from antidistill.anchors.functions.state_training import choose_states, fit_states
    from antidistill.anchors.functions.states import save

    target = arguments.output / "states.npz"
    texts, prompts = [example.sentences for example in examples], [example.prompt for example in examples]
    hidden = labelled.hidden_states(texts, prompts, arguments.cache)
    strength = choose_states(examples, hidden, text_strength)
    save(target, fit_states(examples, hidden, text, strength))
    _told(target, strength)


def _told(path: Path, strength: float) -> None:
    print(f"{path}: {path.stat().st_size:,} bytes, strength {strength}")


if __name__ == "__main__":
    main()
