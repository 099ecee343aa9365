"""The dialects: which columns may hold reasoning, and how what they hold is read.

There are two kinds of columns. A column of reasoning holds nothing else; the prompt and the answer have columns of their
own. A column of model output is read by its shape: raw text, messages, blocks, or the stored body of a response.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from antidistill.errors import RowError
from antidistill.formats import chat, messages
from antidistill.formats.chat import Candidate
from antidistill.formats.columns import CHATS, IDS, OUTPUTS, PROMPTS, REQUESTS, answer_names, folded, reasoning_prefix
from antidistill.formats.found import KeyPath, Row
from antidistill.text import thinking

_CARRIERS = ("choices", "candidates", "output", "response", "body", "message")
_EXPECTED = (
    "a column of reasoning (reasoning, reasoning_content, thinking, …_reasoning) with answer or response, "
    "messages or conversations, generations, text with <think> tags (response, completion, output, text), "
    "or a stored response (choices, response)"
)


class Plan(NamedTuple):
    """What the columns of a row can hold.

    Attributes:
        ids, prompts, requests: columns with the id, the prompt as text, the prompt as messages or request; best first.
        details: the column that goes with an instruction, by the column of the instruction.
        reasoning: each column of reasoning, with the columns that may hold its answer, best first.
        outputs: columns of model output.
        earlier: columns of messages or requests whose assistants' turns came before.
    """

    ids: tuple[str, ...]
    prompts: tuple[str, ...]
    requests: tuple[str, ...]
    details: Mapping[str, str]
    reasoning: tuple[tuple[str, tuple[str, ...]], ...]
    outputs: tuple[str, ...]
    earlier: tuple[str, ...]


@functools.lru_cache(maxsize=1024)
def plan(columns: tuple[str, ...]) -> Plan:
    """The plan for rows with these columns.

    Raises:
        RowError: no dialect fits.
    """
    named: dict[str, list[str]] = {}
    for column in columns:
        named.setdefault(folded(column), []).append(column)

    def present(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(column for name in names for column in named.get(name, ()))

    reasoning = [column for column in columns if reasoning_prefix(column) is not None]
    outputs, prompts, requests = present(OUTPUTS), present(PROMPTS), present(REQUESTS)
    if not reasoning and not outputs:
        given = ", ".join(map(str, columns)) or "none"
        raise RowError(f"no column can hold reasoning: the row has {given}; expected {_EXPECTED}.")
    answers = [present(answer_names(reasoning_prefix(column))) for column in reasoning]
    details = dict(zip(present(("instruction",)), present(("input",)), strict=False))
    earlier = tuple(column for column in prompts + requests if column not in outputs)
    if not reasoning and all(folded(column) in CHATS for column in outputs):
        requests = ()  # every turn has its own prompt
    pairs = tuple(zip(reasoning, answers, strict=True))
    return Plan(present(IDS), prompts, requests, details, pairs, outputs, earlier)


def candidates(row: Row, columns: Plan) -> list[Candidate]:
    """Reasoning in all columns, as often as it stands there.

    Raises:
        RowError: no column holds text that could be reasoning.
    """
    prompt = prompt_in(row, columns)
    found: list[Candidate] = []
    beside: dict[str, str] = {}
    for name, answers in columns.reasoning:
        if row[name] is not None:
            reasoning = row[name] if isinstance(row[name], str) else ""
            found += chat.in_reasoning(row[name], (name,), prompt, _answer(row, answers, reasoning))
            beside |= dict.fromkeys(answers, reasoning)
    for name in columns.outputs:
        if row[name]:
            found += _in_output(row[name], (name,), prompt, beside.get(name, ""))
    for name in columns.earlier:
        found += _in_earlier_turns(row[name], (name,))
    if not found:
        _check_that_one_could_hold_text(row, [*dict(columns.reasoning), *columns.outputs])
    return [candidate for candidate in found if candidate.text] or found


def _check_that_one_could_hold_text(row: Row, columns: list[str]) -> None:
    for name in columns:
        text = row[name]
        if isinstance(text, str) and _is_json(text) and (folded(name) in CHATS or thinking.may_hold(text)):
            raise RowError(f"column {name} holds JSON written as text: parse it, so that it is part of the row.")
    if all(isinstance(row[name], (bool, int, float, bytes)) for name in columns):
        given = ", ".join(f"{name}={_shown(row[name])}" for name in columns)
        raise RowError(f"no column holds text that could be reasoning: {given}; expected {_EXPECTED}.")


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _shown(value: Any) -> str:
    return "bytes" if isinstance(value, bytes) else repr(value)


def id_in(row: Row, columns: Plan) -> str:
    """The id of a row, or "" if no column holds one."""
    for name in columns.ids:
        if row[name] is not None:
            return str(row[name])
    return ""


def prompt_in(row: Row, columns: Plan) -> str:
    """The prompt of a row, or "" if no column holds one."""
    for name in columns.prompts:
        value = row[name]
        if isinstance(value, str) and value.strip():
            return _with_details(value, row.get(columns.details.get(name, ""))) if columns.details else value
    return next(filter(None, (_asked(row[name]) for name in columns.prompts + columns.requests)), "")


def _with_details(instruction: str, details: Any) -> str:
    return f"{instruction}\n\n{details}" if isinstance(details, str) and details.strip() else instruction


def _asked(request: Any) -> str:
    """The prompt in the messages of a chat, or in a stored request."""
    if isinstance(request, dict):
        return next(filter(None, (_asked(request[name]) for name in (*PROMPTS, *REQUESTS) if name in request)), "")
    if isinstance(request, str):
        return request
    if not isinstance(request, (list, tuple)) or not all(map(messages.is_message, request)):
        return ""
    turns = list(request)
    while turns and messages.role_of(turns[-1]) in messages.ASSISTANTS:
        turns.pop()
    return messages.prompt_of(turns)


def _in_earlier_turns(request: Any, path: KeyPath) -> Iterator[Candidate]:
    """Reasoning of the assistant's turns in the messages of a prompt or a stored request; not what opens the next one."""
    if isinstance(request, dict):
        for name in (*PROMPTS, *REQUESTS):
            if name in request:
                yield from _in_earlier_turns(request[name], (*path, name))
    elif isinstance(request, (list, tuple)) and all(map(messages.is_message, request)):
        yield from (candidate for candidate in chat.in_chat(request, path, "") if candidate.reasoning.strip())


def plain_answer(row: Row, columns: tuple[str, ...]) -> str:
    """The first of these columns that holds text, as it is."""
    for name in columns:
        value = row[name]
        if value and type(value) is str:
            return value
    return ""


def _answer(row: Row, columns: tuple[str, ...], reasoning: str) -> str:
    return next(filter(None, (messages.visible_text(row[name], reasoning) for name in columns)), "")


def _in_output(value: Any, path: KeyPath, prompt: str, reasoning: str = "") -> Iterator[Candidate]:
    if isinstance(value, str):
        yield from _in_raw_text(value, path, prompt, reasoning)
    elif isinstance(value, dict):
        yield from _in_body(value, path, prompt)
    elif isinstance(value, (list, tuple)) and value:
        yield from _in_list(value, path, prompt)


def _in_raw_text(text: str, path: KeyPath, prompt: str, reasoning: str) -> Iterator[Candidate]:
    if _is_json(text):
        return  # its escapes would be taken for text
    if not prompt and len(path) == 1 and folded(path[0]) == "text":  # the whole exchange in one text
        prompt = next((text[: thought.opens] for thought in thinking.find(text)), "")
    yield from chat.in_text(text, path, prompt, reasoning)


def _in_list(values: Sequence[Any], path: KeyPath, prompt: str) -> Iterator[Candidate]:
    """Messages, blocks of one response, choices, or raw texts."""
    if all(map(messages.is_message, values)):
        yield from chat.in_chat(values, path, prompt)
    elif any(isinstance(value, dict) and "type" in value for value in values):
        yield from chat.in_blocks(values, path, prompt, messages.visible_text(values))
    else:
        for position, value in enumerate(values):
            yield from _in_output(value, (*path, position), prompt)


def _in_body(body: Mapping[str, Any], path: KeyPath, prompt: str) -> Iterator[Candidate]:
    """A stored response: of a chat or completion, a line of a batch, a message; or one of its choices."""
    yield from chat.in_message(body, path, prompt)
    for key in _CARRIERS:
        if key in body:
            yield from _in_output(body[key], (*path, key), prompt)
