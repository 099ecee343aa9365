"""Files of traces: what a row holds, and that a run that was killed gives the same file."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

pytest.importorskip("torch", reason="needs torch")

from tests.sampling.tiny import WORDS, model, tokenizer

import antidistill as ad
from antidistill.errors import BadOption, InputError, OutputError, UsageError
from antidistill.sampling import Aids, Prompt, Settings, make
from antidistill.sampling.store import write_traces

pytestmark = pytest.mark.models

PROMPTS = [Prompt(f"q{number}", " ".join(WORDS.split()[number : number + 4])) for number in range(7)]
SETTINGS = Settings(temperature=1.0, reasoning_tokens=12, answer_tokens=6, batch=2, samples=2, key=b"k")


def run(out, sampler="none", prompts=PROMPTS, settings=SETTINGS, **options):
    return write_traces(out, model(), tokenizer(), prompts, make(sampler), settings, Aids(), **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "traces.jsonl"
    assert run(out).traces == 14
    return out.read_bytes()


def test_rows_are_traces_with_their_record(whole, tmp_path):
    rows = [orjson.loads(line) for line in whole.splitlines()]
    assert [row["id"] for row in rows[:4]] == ["q0#0", "q0#1", "q1#0", "q1#1"]
    assert all(list(row) == ["id", "prompt", "reasoning", "answer", "sampling"] for row in rows)
    assert {row["sampling"]["method"] for row in rows} == {"none"}
    (tmp_path / "t.jsonl").write_bytes(whole)

    def plain(text):
        """A random teacher now and then writes an opening of its own, which readers leave out."""
        return text and "<think>" not in text

    kept = {row["id"] for row in rows if plain(row["reasoning"])}
    assert len(kept) > 7
    read = list(ad.read(tmp_path / "t.jsonl"))
    assert [(t.id, t.prompt, t.reasoning, t.answer) for t in read if t.id in kept] == [
        (row["id"], row["prompt"], row["reasoning"], row["answer"]) for row in rows if row["id"] in kept
    ]


@pytest.mark.parametrize("torn", [0, 3, 500, -1, -400])
def test_a_torn_file_is_gone_on_with(whole, tmp_path, torn):
    out = tmp_path / "traces.jsonl"
    out.write_bytes(whole[:torn] if torn else whole)
    count = run(out, resume=True)
    assert out.read_bytes() == whole
    assert count.traces == 14
    assert count.resumed == (14 if torn == 0 else count.resumed)


def test_a_killed_run_gives_the_same_file(whole, tmp_path):
    """`kill -9` while it writes, then a run with resume."""
    out = tmp_path / "traces.jsonl"
    script = (
        "import time; from tests.sampling import test_store as t; from pathlib import Path\n"
        f"t.run(Path({str(out)!r}), resume=True, progress=lambda count: time.sleep(0.3))"
    )
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen([sys.executable, "-c", script], cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    while (not out.exists() or out.stat().st_size < len(whole) // 3) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    left = out.stat().st_size
    assert 0 < left < len(whole)
    assert run(out, resume=True).resumed > 0
    assert out.read_bytes() == whole


def test_a_file_made_otherwise_is_not_gone_on_with(whole, tmp_path):
    out = tmp_path / "traces.jsonl"
    out.write_bytes(whole)
    with pytest.raises(UsageError, match="another settings"):
        run(out, settings=dataclasses.replace(SETTINGS, temperature=0.5), resume=True)
    with pytest.raises(UsageError, match="another key_id"):
        run(out, settings=dataclasses.replace(SETTINGS, key=b"other"), resume=True)
    with pytest.raises(UsageError, match=r"another method, options"):
        run(out, sampler="temperature", resume=True)
    with pytest.raises(UsageError, match="line 1 answers another prompt"):
        run(out, prompts=PROMPTS[::-1], resume=True)
    with pytest.raises(OutputError, match="is there already"):
        run(out)
    assert out.read_bytes() == whole
    with pytest.raises(OutputError, match="must end in .jsonl"):
        run(tmp_path / "traces.parquet")
    run(out, prompts=PROMPTS[:1], force=True)
    assert out.read_bytes() == b"".join(whole.splitlines(keepends=True)[:2])


def test_a_mistake_leaves_the_file_that_is_to_be_replaced(tmp_path):
    out = tmp_path / "t.jsonl"
    out.write_bytes(b"old")
    with pytest.raises(BadOption, match="temperature"):
        run(out, "temperature", settings=dataclasses.replace(SETTINGS, temperature=0.0), force=True)
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_prompts_beyond_the_context_are_named_before_anything_is_written(tmp_path, kind):
    """The tiny models read 512 tokens."""
    out = tmp_path / "t.jsonl"
    long = Prompt("long", "we add two and three " * 150)
    with pytest.raises(InputError, match=r"1 of 8 prompts are too long: long has [\d,]+ tokens, up to 18 are written"):
        write_traces(out, model(kind), tokenizer(), [*PROMPTS, long], make("none"), SETTINGS, Aids())
    assert not out.exists()
    room = 512 - len(SETTINGS.frame.prompt_ids(tokenizer(), PROMPTS[0])) - 6
    for more, fits in ((0, True), (1, False)):
        settings = dataclasses.replace(SETTINGS, reasoning_tokens=room + more, samples=1)
        if fits:
            assert write_traces(out, model(kind), tokenizer(), PROMPTS[:1], make("none"), settings, Aids()).traces == 1
            continue
        with pytest.raises(InputError, match="the teacher reads 512"):
            write_traces(tmp_path / "u.jsonl", model(kind), tokenizer(), PROMPTS[:1], make("none"), settings, Aids())
