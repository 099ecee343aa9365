"""Sets of questions with gold answers: from files, or from the hub by name."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from antidistill.distill.grading import boxes
from antidistill.errors import InputError, MissingExtra, RowError
from antidistill.formats import sources
from antidistill.formats.files import numbered_rows, place

HUB = "hub:"
_TEXTS = ("question", "problem", "prompt")
_GOLDS = ("gold", "answer", "target", "solution")
_SUBJECTS = ("subject", "type", "category")
_LETTERS = "ABCDEFGHIJ"
_HASHES = re.compile(r"####\s*(.+)\s*$")


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a student is asked.

    Attributes:
        id: unique in its set.
        text: as it is asked, choices included.
        gold: the right answer.
        grader: name of the grader: math, letter, exact or one of another package.
        subject: group that it belongs to; may be empty.
    """

    id: str
    text: str
    gold: str
    grader: str = "exact"
    subject: str = ""


def read_questions(source: str, number: int = 0, seed: int = 0) -> list[Question]:
    """The questions of a set.

    A row holds the question (`question`, `problem` or `prompt`), the gold answer (`gold`, `answer` or `target`, an index or
    letter where there are `choices`; behind #### in GSM8K; else the last box of `solution`), and may hold `id`, `choices`,
    `subject` and `grader`. Questions with choices are graded by letter, all others by math-verify.

    Args:
        source: a file, a folder or a pattern, or `hub:owner/name[/configuration]`; `*` as configuration is all of them. `@split`
            behind it takes the rows of one split.
        number: how many, drawn by `seed`; 0 = all.
        seed: of the draw.

    Raises:
        InputError: there is no such set, a row holds no question, or two questions have one id.
        MissingExtra: a hub name was given and the package datasets is not installed.
    """
    found = [_question(row, where, name) for row, where, name in _rows(source)]
    if not found:
        raise InputError(f"{source} holds no question: give another file, or another split behind @.")
    repeated = len(found) - len({question.id for question in found})
    if repeated:
        raise InputError(
            f"{source} has {repeated} questions whose id another one has: give every row an id of its own."
        )
    if not number or number >= len(found):
        return found
    chosen = sorted(random.Random(seed).sample(range(len(found)), number))
    return [found[row] for row in chosen]


def _rows(source: str) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    """Rows of a set, how a message calls each, and a name for each that is unique in the set."""
    named, _, split = source.rpartition("@") if _has_split(source) else (source, "", "")
    if named.startswith(HUB):
        yield from _hub_rows(named.removeprefix(HUB), split)
        return
    files = sources(named)
    for file in files:
        try:
            for number, row in numbered_rows(file):
                if not split or row.get("split") == split:
                    yield row, place(file, number), f"{file.name}/{number}" if len(files) > 1 else str(number)
        except RowError as error:
            raise InputError(f"{error}: mend the row or take it out.") from None


def _has_split(source: str) -> bool:
    return "@" in source and (source.startswith(HUB) or not Path(source).exists())


def _hub_rows(named: str, split: str) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    if find_spec("datasets") is None:
        raise MissingExtra(f"reading {named} from the hub", "datasets", "train")
    from datasets import get_dataset_config_names, load_dataset

    owner_and_name, configuration = _parted(named)
    try:
        configurations = get_dataset_config_names(owner_and_name) if configuration == "*" else [configuration]
        for one in configurations:
            for number, row in enumerate(load_dataset(owner_and_name, one, split=split or "test")):
                yield row, f"{named}, row {number}", f"{one or ''}/{number}"
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{named} cannot be fetched ({reason}); give hub:owner/name[/configuration]@split.") from error


def _parted(named: str) -> tuple[str, str | None]:
    """Owner and name, and the configuration behind them; a folder stands for a repository."""
    if Path(named).is_dir():
        return named, None
    parts = named.split("/")
    return "/".join(parts[:2]), "/".join(parts[2:]) or None


def _question(row: Mapping[str, Any], where: str, name: str) -> Question:
    text = _first(row, _TEXTS)
    gold = _gold(row)
    if not isinstance(text, str) or gold is None:
        raise InputError(f"{where} is no question: it needs {' or '.join(_TEXTS)}, and {' or '.join(_GOLDS)}.")
    choices = _choices(row, where)
    if choices:
        gold = _chosen(row, choices, where)
    asked = text if not choices else with_choices(text, choices)
    grader = str(row.get("grader") or ("letter" if choices else "math"))
    identity = row.get("id") if row.get("id") is not None else row.get("unique_id")
    return Question(str(name if identity is None else identity), asked, gold, grader, str(_first(row, _SUBJECTS) or ""))


def with_choices(text: str, choices: Iterable[str]) -> str:
    """A question with its choices, a letter before each."""
    lines = [f"{letter}. {choice}" for letter, choice in zip(_LETTERS, choices, strict=False)]
    return "\n".join([text, "", *lines])


def _choices(row: Mapping[str, Any], where: str) -> list[str]:
    """The choices of a row, which may stand in it as JSON; none where it has none."""
    found = row.get("choices")
    if isinstance(found, str):
        with suppress(orjson.JSONDecodeError):
            found = orjson.loads(found)
    if found is not None and not isinstance(found, list):
        raise InputError(f"{where} is no question: its choices are no list, but {found!r:.60}.")
    if found and len(found) > len(_LETTERS):
        raise InputError(f"{where} has {len(found)} choices, at most {len(_LETTERS)} can be asked by letter.")
    return [str(choice) for choice in found or ()]


def _chosen(row: Mapping[str, Any], choices: Sequence[str], where: str) -> str:
    """The letter of the right choice: given as index, as letter or as the choice itself."""
    found = _first(row, _GOLDS)
    letters = _LETTERS[: len(choices)]
    if isinstance(found, int) and 0 <= found < len(choices):
        return letters[found]
    text = str(found).strip()
    if text in choices and not (len(text) == 1 and text in letters):
        return letters[choices.index(text)]
    if len(text) != 1 or text not in letters:
        raise InputError(
            f"{where} is no question: the answer {found!r:.60} is none of its {len(choices)} choices (index, letter or text)."
        )
    return text


def _gold(row: Mapping[str, Any]) -> str | None:
    found = _first(row, _GOLDS)
    if found is None:
        return None
    text = str(found)
    behind = _HASHES.search(text)
    if behind:
        return behind[1].strip().replace(",", "")
    boxed = boxes(text) if "gold" not in row else []
    return boxed[-1] if boxed else text.strip()


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)
