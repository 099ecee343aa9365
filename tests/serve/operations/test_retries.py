"""Retries: as often as allowed, for failures that allow it, and never after a success."""

import asyncio

import pytest

from antidistill.serve.operations import attempt


def tried(answers, retries):
    """Result (or error) and number of calls and retries, for a row of answers."""
    calls, told = [], []

    async def call():
        answer = answers[len(calls)]
        calls.append(answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def story():
        return await attempt(
            call,
            retries=retries,
            failed=lambda status: status in {502, 503},
            retryable=(ConnectionError,),
            on_retry=lambda: told.append(1),
            pause=0.001,
        )

    try:
        return asyncio.run(story()), len(calls), len(told)
    except Exception as error:
        return error, len(calls), len(told)


@pytest.mark.parametrize(
    ("answers", "retries", "result", "calls"),
    [
        ([200], 2, 200, 1),
        ([503, 200], 2, 200, 2),
        ([ConnectionError(), 502, 200], 2, 200, 3),
        ([503, 502, 503], 2, 503, 3),
        ([503], 0, 503, 1),
        ([400, 200], 2, 400, 1),
    ],
)
def test_the_first_result_that_has_not_failed_or_the_last(answers, retries, result, calls):
    assert tried(answers, retries) == (result, calls, calls - 1)


def test_the_last_error_is_raised_and_others_at_once():
    error, calls, _ = tried([ConnectionError("1"), ConnectionError("2")], 1)
    assert (str(error), calls) == ("2", 2)
    error, calls, told = tried([ValueError(), 200], 2)
    assert (type(error), calls, told) == (ValueError, 1, 0)
