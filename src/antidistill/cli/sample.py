"""`antidistill sample`: a teacher answers prompts under a white-box defense."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antidistill.cli.guard import parse_settings
from antidistill.cli.output import json_file, keep_apart, write_json
from antidistill.errors import AntidistillError, UsageError

if TYPE_CHECKING:
    from antidistill.sampling import Prompt
    from antidistill.sampling.calibrate import Calibration
    from antidistill.sampling.store import Count

_SECONDS_BETWEEN_LINES = 10.0
_FORCING = "**Final Answer**\n\\[ \\boxed{"


def sample(
    source: Annotated[
        Path, typer.Argument(metavar="PROMPTS", help="File, folder or pattern with a column of prompts.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Traces are written here; the name ends in .jsonl.")],
    teacher: Annotated[str, typer.Option(help="Teacher: smollm2-135m, a hub name or a folder.")],
    method: Annotated[str, typer.Option(help="White-box defense; see antidistill methods.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Option of the method; may be repeated.")
    ] = None,
    proxy: Annotated[str | None, typer.Option(help="Proxy model (ads, poe, doge), named like the teacher.")] = None,
    holdout: Annotated[
        Path | None, typer.Option(help="Clean traces of other prompts, for the gradient (ads) or the head (doge).")
    ] = None,
    gradient: Annotated[Path | None, typer.Option(help="Gradient made before; else OUT.gradient.safetensors.")] = None,
    head: Annotated[Path | None, typer.Option(help="Head trained before; else OUT.head.safetensors.")] = None,
    fit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Option of making gradient or head, such as weight=traces; repeatable."
        ),
    ] = None,
    calibrate: Annotated[
        float | None, typer.Option(help="Search the method's strength for this accuracy of the teacher, 0 to 1.")
    ] = None,
    questions: Annotated[
        str | None, typer.Option(help="Questions with gold answers to calibrate on: a file, or hub:owner/name.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Strengths tried while calibrating.")] = 8,
    temperature: Annotated[float, typer.Option(help="Temperature of the teacher; 0 is greedy.")] = 0.6,
    top_p: Annotated[float, typer.Option(help="Nucleus, cut after the method acted.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Tokens kept, likewise; 0 keeps all.")] = 0,
    reasoning_tokens: Annotated[int, typer.Option(help="Longest reasoning.")] = 1024,
    answer_tokens: Annotated[int, typer.Option(help="Longest answer.")] = 256,
    samples: Annotated[int, typer.Option(help="Traces per prompt.")] = 1,
    batch: Annotated[int, typer.Option(help="Traces written at a time.")] = 16,
    scope: Annotated[str, typer.Option(metavar="reasoning|all", help="Where the method acts.")] = "reasoning",
    exempt: Annotated[
        bool, typer.Option("--exempt/--no-exempt", help="Keep special tokens and the end of the reasoning clean.")
    ] = True,
    system: Annotated[str, typer.Option(help="System turn, or text in front of the prompt.")] = "",
    opening: Annotated[str, typer.Option(help="What opens the reasoning; empty for nothing.")] = "<think>\n",
    closing: Annotated[
        list[str] | None, typer.Option(help="What ends the reasoning; may be repeated. Default </think>.")
    ] = None,
    force_answer: Annotated[
        bool, typer.Option("--force-answer", help="Close a reasoning at its limit and make the clean teacher answer.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Use the first prompts only; 0 uses all.")] = 0,
    key_file: Annotated[
        Path | None, typer.Option(help="Secret that draws come from; else OUT.key, made if missing.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it is there.")] = False,
    json: Annotated[str | None, typer.Option("--json", help="Write the summary to this file; - is stdout.")] = None,
) -> None:
    """Sample traces from a teacher under a white-box defense, which acts on the logits of the reasoning only.

    OUT gets one row per trace: id, prompt, reasoning, answer and, under "sampling", how it was made.
    """
    from antidistill.cli.sample_aids import Sources, check_holdout, load_aids
    from antidistill.cli.sample_calibrate import search
    from antidistill.distill.questions import read_questions
    from antidistill.measure.models import load_language_model
    from antidistill.sampling import Frame, Prompt, Settings, make
    from antidistill.sampling.prompts import check_fit
    from antidistill.sampling.store import check_target, write_traces

    keep_apart(out, source, holdout, Path(questions) if questions else None)
    keep_apart(json_file(json), source, holdout, out)
    check_target(out, resume, force)
    if (calibrate is None) != (questions is None):
        raise UsageError("--calibrate needs --questions with gold answers, and the other way round: give both or none.")
    sampler = make(method, **parse_settings(settings or []))
    frame = Frame(
        system, opening=opening, closings=tuple(closing or ("</think>",)), forcing=_FORCING if force_answer else ""
    )
    chosen = Settings(
        temperature, top_p, top_k, reasoning_tokens, answer_tokens, samples, batch, b"", scope, exempt, frame
    )
    say = _Say()
    prompts = _prompts(source, limit)
    sources = Sources(out, proxy, holdout, gradient, head, parse_settings(fit or []))
    check_holdout(sampler, sources, prompts)
    asked = read_questions(questions) if questions is not None else []
    loaded = load_language_model(teacher)
    check_fit(loaded.model, loaded.tokenizer, [*prompts, *(Prompt(each.id, each.text) for each in asked)], chosen)
    aids = load_aids(sampler, loaded, sources, frame, say)
    with _key(out, key_file, say) as secret:
        chosen, found = replace(chosen, key=secret), None
        if calibrate is not None:
            found = search(loaded, sampler, asked, calibrate, rounds, chosen, aids, say)
            sampler = found.sampler
        about = {"teacher": teacher, **({"proxy": proxy} if "proxy" in sampler.aids else {})}
        start = time.perf_counter()
        count = write_traces(
            out, loaded.model, loaded.tokenizer, prompts, sampler, chosen, aids, about=about,
            resume=resume, force=force, progress=lambda c: say(f"{c.traces} of {len(prompts) * samples} traces"),
        )  # fmt: skip
    _report(count, found, time.perf_counter() - start, json, say)


class _Say:
    """Lines on stderr, no more often than every ten seconds unless they matter."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._next = time.monotonic() + _SECONDS_BETWEEN_LINES

    def __call__(self, text: str, *, always: bool = False) -> None:
        if always or time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS_BETWEEN_LINES
            self._console.print(text, markup=False)


def _prompts(source: Path, limit: int) -> list[Prompt]:
    """The prompts; questions with choices are asked with them."""
    from antidistill.distill.questions import read_questions
    from antidistill.formats.files import numbered_rows, sources
    from antidistill.sampling import Prompt
    from antidistill.sampling.prompts import read_prompts

    _, first = next(numbered_rows(sources(source)[0]), (0, {}))
    if first.get("choices") is not None:
        prompts = [Prompt(question.id, question.text) for question in read_questions(str(source))]
    else:
        prompts = list(read_prompts(source))
    if not prompts:
        raise UsageError(f"{source} holds no prompt: give a file with at least one row.")
    return prompts[:limit] if limit else prompts


@contextmanager
def _key(out: Path, key_file: Path | None, say: _Say) -> Iterator[bytes]:
    """The key; one that was made is taken away again where a mistake is found before the first trace is written."""
    from antidistill.keys import key_beside, read_key

    key = read_key(key_file) if key_file else key_beside(out)
    try:
        yield key.secret
    except AntidistillError:
        if key.made and not (out.exists() and out.stat().st_size):
            key.path.unlink()
        raise
    finally:
        if key.made and key.path.exists():
            say(f"new key: {key.path} (keep it private: it repeats the draws)", always=True)


def _report(
    count: Count, found: Calibration | None, seconds: float, json: str | None, say: Callable[..., None]
) -> None:
    tokens = count.reasoning_tokens + count.answer_tokens
    say(
        f"{count.traces} traces ({count.resumed} were there), {count.closed} with a closed reasoning, {count.ended} ended by "
        f"the teacher, {tokens:,} tokens.",
        always=True,
    )
    if not count.closed:
        say("no reasoning was closed: see --closing, --reasoning-tokens and --force-answer.", always=True)
    if json is not None:
        summary = {
            "traces": count.traces,
            "resumed": count.resumed,
            "closed": count.closed,
            "ended": count.ended,
            "reasoning_tokens": count.reasoning_tokens,
            "answer_tokens": count.answer_tokens,
            "seconds": round(seconds, 3),
            "calibration": found.to_json() if found else None,
        }
        write_json(json, summary)
