"""Reads a recipe: student, prompts, questions, hyperparameters, conditions, and the numbers that were published."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from antidistill.distill.conditions import Condition
from antidistill.distill.layout import Layout
from antidistill.distill.settings import Asking, Training, from_table
from antidistill.errors import InputError, UnknownName

_FOLDER = files("antidistill.distill.recipes")
_STUDENTS = "students"


@dataclass(frozen=True, slots=True)
class Set:
    """A set of questions.

    Attributes:
        source: file or hub name; see `read_questions`.
        number: how many of them; 0 = all.
        drop_overlap: whether questions that the traces hold are left out; otherwise they are refused.
    """

    source: str
    number: int = 0
    drop_overlap: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """A set-up.

    Attributes:
        name: of the file.
        source: where it was published.
        student: hub name, folder or smollm2-135m.
        conditions: what students are trained on, the clean one first; with published numbers.
        questions: what they are tested on.
        training, asking, layout: how.
        teacher: who writes the traces.
        prompts: what the teacher is asked.
        measure: which measure the published numbers are compared with.
        inferred: what the publication does not say, and where the value comes from.
        tokenizer: hub name of the tokenizer, where it is not that of the student.
        config: architecture of the student, for a dry run without the hub; empty where it is not known.
    """

    name: str
    source: str
    student: str
    conditions: tuple[Condition, ...]
    questions: Set
    training: Training = field(default_factory=Training)
    asking: Asking = field(default_factory=Asking)
    layout: Layout = field(default_factory=Layout)
    teacher: str = ""
    prompts: Set | None = None
    measure: str = "accuracy"
    inferred: Mapping[str, str] = field(default_factory=dict)
    tokenizer: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


def names() -> list[str]:
    """The recipes that come with the package."""
    found = (Path(str(file)).stem for file in _FOLDER.iterdir() if str(file).endswith(".toml"))
    return sorted(name for name in found if name != _STUDENTS)


def read_recipe(name: str) -> Recipe:
    """A recipe by name, or from a file that ends in .toml.

    Raises:
        UnknownName: no recipe has this name.
        InputError: the file cannot be read, or is no recipe.
        BadOption: a setting out of its range, or one that there is not.
    """
    if name.endswith(".toml"):
        return _recipe(Path(name).stem, _table(Path(name)))
    if name not in names():
        raise UnknownName("recipe", name, names())
    return _recipe(name, _table(Path(str(_FOLDER / f"{name}.toml"))))


def student_facts(name: str) -> dict[str, Any]:
    """Tokenizer and architecture of a student of the published set-ups; empty for others."""
    found: dict[str, Any] = _table(Path(str(_FOLDER / f"{_STUDENTS}.toml"))).get(name, {})
    return found


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"recipe {path} cannot be read ({error.strerror}); known: {', '.join(names())}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"recipe {path} is not TOML ({error}); see the recipes of the package for examples."
        ) from error


def _recipe(name: str, table: dict[str, Any]) -> Recipe:
    unknown = table.keys() - {known.name for known in fields(Recipe)}
    missing = {"source", "student", "conditions", "questions"} - table.keys()
    if unknown or missing:
        reason = f"does not know {', '.join(sorted(unknown))}" if unknown else f"needs {', '.join(sorted(missing))}"
        raise InputError(f"recipe {name!r}: a recipe {reason}; see the recipes of the package for examples.")
    facts = student_facts(table["student"])
    own = {"tokenizer": facts.pop("tokenizer", ""), "config": facts} | table
    kinds = {"training": Training, "asking": Asking, "layout": Layout, "questions": Set, "prompts": Set}
    read = {part: from_table(kind, own[part]) for part, kind in kinds.items() if part in own}
    conditions = tuple(from_table(Condition, row) for row in table["conditions"])
    return Recipe(**(own | read | {"name": name, "conditions": conditions}))
