"""Logs: one JSON object a line, known fields only, and no text of anybody."""

import asyncio
import io
import json
import logging

import pytest

from antidistill.errors import BadPolicy, DefenseError, UnknownName
from antidistill.serve.operations import configure_logs, log

SECRET = "Wait, the removed sentence"


@pytest.fixture
def lines():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level = before


def test_an_event_is_one_object_with_its_fields(lines):
    log("request", request_id="r1", status=200, seconds=0.25, stream=True, model=None)
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": "r1",
        "status": 200,
        "seconds": 0.25,
        "stream": True,
    }


def test_only_known_fields_can_be_logged(lines):
    with pytest.raises(UnknownName, match="did you mean 'client'"):
        log("request", clients="x")
    for name in ("text", "reasoning", "prompt", "key", "authorization", "body", "headers"):
        with pytest.raises(UnknownName):
            log("request", **{name: SECRET})
    assert lines() == []


def test_values_of_clients_are_cut_and_cannot_break_a_line(lines):
    log("request", model="a\nb\u2028\ud800" + "x" * 1000)
    (line,) = lines()
    assert line["model"].startswith("a?b??x")
    assert len(line["model"]) == 200


def test_an_error_shows_its_type_and_place_and_not_its_message(lines):
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise DefenseError(SECRET) from error
    except DefenseError as error:
        log("defense failed", logging.ERROR, error=error, request_id="r1")
    (line,) = lines()
    assert (line["exception"]["type"], line["exception"]["cause"]) == ("DefenseError", "ValueError")
    assert "test_logs.py" in line["exception"]["at"][-1]
    assert SECRET not in json.dumps(line)


def test_an_error_about_a_file_of_the_operator_keeps_its_message(lines):
    log("policies not taken over", logging.ERROR, error=BadPolicy("limits", "max_streams must be a number"))
    assert lines()[0]["exception"]["message"] == "policy, limits: max_streams must be a number."


def test_messages_of_other_libraries_are_left_out(lines):
    logging.getLogger("aiohttp.server").error("Error handling %r", SECRET, exc_info=ValueError(SECRET))
    logging.getLogger("some.library").warning(f"GET /v1/models?key={SECRET}")

    async def story():
        asyncio.get_running_loop().call_exception_handler({"message": SECRET, "exception": ValueError(SECRET)})

    asyncio.run(story())
    found = lines()
    assert [line["logger"] for line in found] == ["aiohttp.server", "some.library", "asyncio"]
    assert SECRET not in json.dumps(found)
    assert found[0]["exception"]["type"] == "ValueError"
