"""The problems of an experiment: none has two uses, none is asked twice."""

import dataclasses

import pytest

from antidistill.errors import BadOption
from antidistill.lab.sizes import QUICK, problems
from antidistill.lab.worlds import WORLDS, make


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_no_prompt_has_two_uses(name):
    drawn = problems(make(name), QUICK, 0)
    prompts = {use: [problem.prompt for problem in found] for use, found in drawn.items()}
    assert {use: len(found) for use, found in prompts.items()} == {use: getattr(QUICK, use) for use in prompts}
    assert sum(len(set(found)) for found in prompts.values()) == len(set().union(*prompts.values()))


def test_no_problem_is_asked_twice():
    drawn = problems(make("corrections:skew=2"), QUICK, 0)
    for use in ("test", "trial"):
        assert len({problem.prompt for problem in drawn[use]}) == len(drawn[use])
    assert len({problem.prompt for problem in drawn["lessons"]}) < len(drawn["lessons"])


def test_another_seed_draws_other_problems():
    world = make("plan")
    assert problems(world, QUICK, 0) == problems(world, QUICK, 0) != problems(world, QUICK, 1)


def test_a_world_with_too_few_problems_is_named():
    with pytest.raises(BadOption, match="more different problems"):
        problems(make("decoration:steps=1"), QUICK, 0)


def test_a_size_below_one_is_named():
    with pytest.raises(BadOption, match="traces"):
        dataclasses.replace(QUICK, traces=0)


def test_a_pace_counts_for_students_and_proxy_and_for_nothing_else():
    slow = QUICK.at_pace(2.5)
    courses = {f"{who}_course": getattr(QUICK, f"{who}_course") for who in ("student", "proxy")}
    assert {name: getattr(slow, name).steps for name in courses} == {
        name: round(2.5 * course.steps) for name, course in courses.items()
    }
    assert dataclasses.replace(slow, **courses) == QUICK
    assert QUICK.at_pace(1.0) == QUICK
