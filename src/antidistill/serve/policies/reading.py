"""Reads a policy file: YAML, then variables of the environment, then the command line; later ones win.

A variable `ANTIDISTILL_LIMITS__MAX_STREAMS=20` sets `limits.max_streams`: two underscores step into a section, and the value is
YAML. A name that does not exist is an error with a suggestion, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from antidistill.errors import AntidistillError, BadPolicy, UnknownName
from antidistill.serve.policies.settings import Settings

PREFIX = "ANTIDISTILL_"
_ELSEWHERE = frozenset(PREFIX + name for name in ("POLICY", "SAMPLER", "ROLLOUTS_KEY", "TAGGER_KEY"))
"""Variables that other parts of the package read."""
_MAX_BYTES = 1 << 20


class _Loader(yaml.SafeLoader):
    """YAML in which `off` and `no` are words, as in YAML 1.2, and a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if first in "tTfF" or tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_settings(path: Path | None, environment: Mapping[str, str], overrides: Mapping[str, Any]) -> Settings:
    """The settings of a policy file, the environment and the command line.

    Args:
        path: the file; None: there is none.
        environment: variables; those that start with `ANTIDISTILL_` count.
        overrides: what the command line says, in the shape of the file.

    Raises:
        BadPolicy: the file cannot be read, or a value is not what it must be.
        UnknownName: a section, setting or variable that does not exist.
    """
    values = _read(path) if path else {}
    for name, text in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in _ELSEWHERE:
            _set(values, name, _parsed(text, f"variable {name}"))
    return validated(_merged(values, overrides))


def validated(values: Mapping[str, Any]) -> Settings:
    """Settings from plain values.

    Raises:
        BadPolicy, UnknownName: as `read_settings`.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _explained(error) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise BadPolicy(f"file {path}", f"it cannot be read ({error.strerror}): name a YAML file") from None
    if len(content) > _MAX_BYTES:
        raise BadPolicy(f"file {path}", f"it has more than {_MAX_BYTES:,} bytes: a policy file is smaller")
    values = _parsed(content, f"file {path}")
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise BadPolicy(f"file {path}", f"it holds a {type(values).__name__}: a policy file is a mapping of sections")
    return values


def _parsed(text: str | bytes, place: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise BadPolicy(place, f"it is not YAML{where} ({getattr(error, 'problem', None) or 'unreadable'})") from None


def _set(values: dict[str, Any], variable: str, value: Any) -> None:
    """Puts the value of a variable into its place."""
    steps = variable.removeprefix(PREFIX).lower().split("__")
    section: dict[str, Any] = values
    for step in steps[:-1]:
        inner = section.setdefault(step, {})
        if not isinstance(inner, dict):
            raise BadPolicy(f"variable {variable}", f"{step!r} is not a section that a variable can step into")
        section = inner
    if len(steps) == 1 and steps[0] not in Settings.model_fields:
        known = [PREFIX + name.upper() for name in Settings.model_fields]
        raise UnknownName("variable", variable, known)
    section[steps[-1]] = value


def _merged(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _merged(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return merged


def _explained(error: ValidationError) -> AntidistillError:
    """One problem as one sentence. The given value is left out: it may be a secret in the wrong place."""
    problems = error.errors(include_url=False, include_input=True)
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])  # it explains a missing one
    steps = problem["loc"]
    place = ".".join(map(str, steps)) or "file"
    if problem["type"] == "extra_forbidden":
        section = ".".join(map(str, steps[:-1]))
        return UnknownName(f"setting{f' of {section}' if section else ''}", str(steps[-1]), _fields(steps[:-1]))
    if problem["type"] in {"enum", "literal_error"}:
        allowed = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return UnknownName(f"value of {place}", str(problem["input"]), allowed)
    return BadPolicy(place, problem["msg"])


def _fields(steps: tuple[int | str, ...]) -> list[str]:
    """Names that may stand at this place."""
    section: type[BaseModel] = Settings
    chosen_freely = False  # the step names an item of a list, or a tenant
    for step in steps:
        if chosen_freely:
            chosen_freely = False
            continue
        annotation = section.model_fields[str(step)].annotation
        chosen_freely = get_origin(annotation) in {tuple, dict}
        section = next(kind for kind in (*get_args(annotation), annotation) if _is_section(kind))
    return list(section.model_fields)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
