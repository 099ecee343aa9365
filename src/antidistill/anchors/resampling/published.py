"""Rollouts and importances that others published, in the layout of the data of Thought Anchors (arXiv 2506.19143).

A problem is a folder: `chunks.json` (the sentences), `chunk_<i>/solutions.json` (rollouts before sentence i, with
`chunk_resampled`, `answer` and `is_correct`) and `chunks_labeled.json` (one object per sentence). Rollouts that had to answer at
once lie in the same place of a sibling folder whose name ends in `_forced_answer`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from antidistill.anchors.resampling.answers import normalised
from antidistill.anchors.resampling.rollouts import Rollout, Rollouts
from antidistill.errors import InputError, RowError
from antidistill.text import Sentence

FORCED = "_forced_answer"


@dataclass(frozen=True, slots=True)
class Label:
    """What was published about one sentence.

    Attributes:
        text: the sentence.
        function: its first function tag; empty where there is none.
        values: every number by its published name, such as `counterfactual_importance_kl` (nats, 0 and more) or
            `counterfactual_importance_accuracy` (-1 to 1, negative = the sentence helps).
    """

    text: str
    function: str
    values: Mapping[str, float]


def read_labels(path: Path) -> list[Label]:
    """The labels of a problem, in order.

    Args:
        path: a `chunks_labeled.json`, or the folder that holds it.

    Raises:
        InputError: the file is not there or holds something else.
    """
    file = path / "chunks_labeled.json" if path.is_dir() else path
    rows = _json(file, list)
    try:
        return [_label(row) for row in sorted(rows, key=lambda row: int(row.get("chunk_idx", row.get("idx", 0))))]
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{file} holds no labelled sentences ({error!r}): give a chunks_labeled.json.") from error


def _label(row: Mapping[str, Any]) -> Label:
    text = row["chunk"] if "chunk" in row else row["text"]
    tags = row.get("function_tags") or [""]
    numbers = {
        name: float(value)
        for name, value in row.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in ("chunk_idx", "idx")
    }
    return Label(str(text), str(tags[0]), numbers)


def read_problem(folder: Path, forced: Path | None = None) -> Rollouts:
    """The rollouts of one problem.

    There are none behind the whole reasoning, so the last sentence has no importance. A rollout that failed is left out; a place
    whose file is missing or broken has a reason in `failed`.

    Args:
        folder: of the problem.
        forced: of its rollouts that had to answer at once; looked for beside it where not given.

    Raises:
        InputError: the folder holds no problem in this layout.
    """
    content = _json(folder / "chunks.json", (dict, list))
    sentences = content.get("chunks") if isinstance(content, dict) else content
    if not isinstance(sentences, list) or not all(isinstance(text, str) for text in sentences):
        raise InputError(f"{folder / 'chunks.json'} holds no list of sentences: give the folder of a problem.")
    beside = folder.parent.with_name(folder.parent.name + FORCED) / folder.name
    forced = forced or (beside if beside.is_dir() else None)
    failed: dict[int, str] = {}
    before = [_solutions(folder, number, failed) for number in range(len(sentences))]
    answered = [_solutions(forced, number, {}) for number in range(len(sentences))] if forced else []
    return Rollouts(tuple(sentences), tuple(before), tuple(answered), failed)


def _solutions(folder: Path, number: int, failed: dict[int, str]) -> tuple[Rollout, ...]:
    try:
        rows = _json(folder / f"chunk_{number}" / "solutions.json", list)
        return tuple(_rollout(row) for row in rows if isinstance(row, dict) and "error" not in row and "answer" in row)
    except InputError as error:
        failed[number] = str(error)
        return ()


def _rollout(row: Mapping[str, Any]) -> Rollout:
    right = row.get("is_correct")
    answer = row["answer"]
    sentence = row.get("chunk_resampled") or ""
    return Rollout(
        str(sentence), normalised(str(answer)) if answer else None, right if isinstance(right, bool) else None
    )


def spans(reasoning: str, texts: Sequence[str]) -> list[Sentence]:
    """Where published sentences stand in their reasoning; each ends where the next begins, the last where the reasoning does.

    Published texts have lost the kind of white space inside of them, so any white space matches any other.

    Raises:
        RowError: one of them is not there.
    """
    starts, position = [], 0
    for number, text in enumerate(texts):
        found = re.compile(r"\s*".join(re.escape(word) for word in text.split())).search(reasoning, position)
        if found is None:
            raise RowError(
                f"published sentence {number}, {text[:60]!r}, is not in the reasoning: these rollouts are of another."
            )
        starts.append(found.start())
        position = found.end()
    return [
        Sentence(reasoning[start:end], start, end)
        for start, end in zip(starts, [*starts[1:], len(reasoning)], strict=True)
    ]


def _json(path: Path, kind: type | tuple[type, ...]) -> Any:
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}): give the folder of a problem.") from error
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error}): get the file again.") from error
    if not isinstance(content, kind):
        raise InputError(
            f"{path} holds {type(content).__name__}, which is not its published layout: get the file again."
        )
    return content
