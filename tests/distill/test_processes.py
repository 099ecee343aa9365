"""Two real processes (gloo, on processors): the same student as one process makes, and every question asked once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.distill import small

from antidistill.cli.main import run

pytest.importorskip("trl", reason="needs pip install 'antidistill[train]'")
pytestmark = pytest.mark.models

COMMAND = Path(sys.executable).with_name("antidistill")
SETTINGS = ["epochs=2", "batch=16", "max_length=128", "precision=float32", "asking.max_new_tokens=8"]


def arguments(place, name, device_batch):
    settings = [part for value in (*SETTINGS, f"device_batch={device_batch}") for part in ("--set", value)]
    return [
        "distill",
        str(place / "traces.jsonl"),
        "--student",
        str(place / "student"),
        "--questions",
        str(place / "questions.jsonl"),
        *settings,
        "--work",
        str(place / name),
        "--keep-students",
        "--json",
        str(place / f"{name}.json"),
    ]


def weights(place, name):
    from safetensors.torch import load_file

    (found,) = (place / name).glob("*/student/model.safetensors")
    return load_file(found)


def test_two_processes_train_and_ask_as_one_does(tmp_path):
    import torch

    small.save(tmp_path, traces=32, questions=5)
    assert run(arguments(tmp_path, "one", 16)) == 0
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launcher, str(COMMAND), *arguments(tmp_path, "two", 8)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("5 questions.") == 1  # one of them prints

    one, two = (json.loads((tmp_path / f"{name}.json").read_text())["conditions"] for name in ("one", "two"))
    (alone,), (shared,) = one.values(), two.values()
    assert alone["training"]["steps"] == shared["training"]["steps"] == 4
    assert [step for step, _ in shared["training"]["losses"]] == [1, 2, 3, 4]
    for (_, ours), (_, theirs) in zip(alone["training"]["losses"], shared["training"]["losses"], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    ours, theirs = weights(tmp_path, "one"), weights(tmp_path, "two")
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], rtol=1e-3, atol=1e-4)

    shares = [len(path.read_bytes().splitlines()) for path in sorted((tmp_path / "two").glob("*/asked-*/*.jsonl"))]
    assert shares == [3, 2]
    outcomes = [{row["question"]: row for row in entry["evaluation"]["outcomes"]} for entry in (alone, shared)]
    assert len(shared["evaluation"]["outcomes"]) == 5
    assert outcomes[0] == outcomes[1]
