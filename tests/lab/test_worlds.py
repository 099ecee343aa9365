"""Every world: its traces end in their answer, its markers are where it says, its knobs are checked."""

import itertools
import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.errors import BadOption, UnknownName
from antidistill.lab.worlds import WORLDS, knobs, make
from antidistill.lab.worlds.mixture import shapes
from antidistill.text.markers import DEFAULT
from antidistill.text.native import survey
from antidistill.text.survey import MARKER

SEEDS = st.integers(0, 10**6)
NAMES = st.sampled_from(sorted(WORLDS))


def traces(world, count, reflection=True, seed=0):
    generator = random.Random(seed)
    for _ in range(count):
        problem = world.problem(generator)
        yield problem, world.write(problem, generator, reflection=reflection)


def marked(text):
    return [bool(flag & MARKER) for flag in survey(text, DEFAULT)[1]]


@settings(deadline=None)
@given(NAMES, SEEDS, st.booleans())
def test_a_trace_ends_with_what_was_asked(name, seed, reflection):
    world = make(name)
    for problem, text in traces(world, 1, reflection, seed):
        assert world.is_right(problem, problem.answer)
        assert re.findall(r"\d", text)[-1] == ("0" if name == "plan" else problem.answer)


@settings(deadline=None)
@given(NAMES, SEEDS)
def test_the_same_seed_writes_the_same_trace(name, seed):
    assert list(traces(make(name), 2, seed=seed)) == list(traces(make(name), 2, seed=seed))


@settings(deadline=None)
@given(NAMES, SEEDS)
def test_without_reflection_there_is_no_marker(name, seed):
    for _, text in traces(make(name), 3, reflection=False, seed=seed):
        assert not any(marked(text))


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_a_wrong_answer_is_wrong(name):
    world = make(name)
    for problem, _ in traces(world, 20):
        for answer in (
            "",
            "101",
            "4 and 0",
            "x and y",
            problem.answer + " and 1",
            problem.answer.replace("and", "or") + "1",
        ):
            assert not world.is_right(problem, answer)


@pytest.mark.parametrize("moves", [2, 3])
def test_one_group_of_the_plan_is_right_and_its_order_counts(moves):
    world = make(f"plan:moves={moves}")
    for problem, _ in traces(world, 50):
        start, *given = problem.given
        groups = [tuple(given[place : place + moves]) for place in range(0, len(given), moves)]
        assert len(set(groups)) == len(groups) == 4
        [right] = [group for group in groups if (start + sum(group)) % 10 == 0]
        assert problem.answer == " and ".join(map(str, right))
        assert world.is_right(problem, problem.answer + ".")
        backwards = " and ".join(map(str, right[::-1]))
        assert world.is_right(problem, backwards) == (right == right[::-1])


def test_in_the_plan_only_marker_sentences_name_a_further_attempt():
    for problem, text in traces(make("plan"), 200):
        start, *given = problem.given
        sentences = text.split(". ")
        flags = marked(text)
        assert flags == [place > 0 and place % 2 == 0 for place in range(len(sentences))]
        for place in range(0, len(sentences), 2):
            tried = [int(digit) for digit in re.findall(r"\d", sentences[place])]
            assert tried == given[place // 2 * 3 : place // 2 * 3 + 3]
            shown = [int(digit) for digit in re.findall(r"\d", sentences[place + 1])]
            assert shown == [(start + sum(tried[:count])) % 10 for count in (1, 2, 3)]
            assert (shown[-1] == 0) == (place + 2 == len(sentences))


def test_a_check_is_right_and_slips_come_as_often_as_the_knob_says():
    world = make("corrections:slip=0.3,check=1.0")
    slipped = Counter()
    for problem, text in traces(world, 400):
        shown, *moves = problem.given
        sentences = [part.rstrip(".") for part in text.split(". ")]
        assert len(sentences) == len(moves)
        for place in range(0, len(moves), 2):
            first, second = moves[place : place + 2]
            before, between, shown = shown, (shown + first) % 10, (shown + first + second) % 10
            in_one_go, check = sentences[place : place + 2]
            assert re.findall(r"\d", check) == list(map(str, [before, first, between, between, second, shown]))
            assert re.fullmatch(r"Now it shows \d", in_one_go)
            slipped[in_one_go[-1] != str(shown)] += 1
    assert slipped[True] / slipped.total() == pytest.approx(0.3, abs=0.06)


def test_small_moves_are_commoner_by_the_knob():
    moves = Counter(move for p, _ in traces(make("decoration:skew=1,steps=8"), 1000) for move in p.given[1:])
    assert moves[1] / moves[2] == pytest.approx(2, rel=0.15)
    assert moves[1] / moves[4] == pytest.approx(4, rel=0.2)
    even = Counter(move for p, _ in traces(make("decoration:skew=0,steps=8"), 1000) for move in p.given[1:])
    assert even[1] / even[9] == pytest.approx(1, rel=0.2)


def test_decoration_without_its_markers_is_what_it_says_without_reflection():
    world = make("decoration:variety=1")
    generator = random.Random(3)
    problem = world.problem(generator)
    decorated = world.write(problem, generator)
    plain = world.write(problem, generator, reflection=False)
    kept = [part for part in decorated.split(". ") if not part.startswith(("Hmm", "Wait", "Alright", "Actually"))]
    assert ". ".join(kept).rstrip(".") == plain.rstrip(".")


@pytest.mark.parametrize("shape", ["DeepSeek-R1", "QwQ-32B"])
def test_the_mixture_has_the_branches_that_were_measured(shape):
    lengths = Counter()
    for _, text in traces(make(f"mixture:shape={shape},steps=8"), 1500):
        heads = [place for place, flag in enumerate(marked(text)) if flag]
        lengths.update(after - before for before, after in itertools.pairwise(heads))
    measured = shapes()[shape]["branch"]
    # A trace of the lab is short, so only short branches can be compared with each other; two is the shortest one here.
    ours = {length: lengths[length] / sum(lengths[n] for n in range(2, 6)) for length in range(3, 6)}
    theirs = {n: measured.get(str(n), 0) for n in range(1, 6)}
    total = sum(theirs.values())
    for length, share in ours.items():
        assert share == pytest.approx(theirs[length] / total, abs=0.06)


def test_the_mixture_uses_the_words_that_were_measured():
    words = Counter()
    for _, text in traces(make("mixture:shape=DeepSeek-R1"), 2000):
        words.update(part.split(",")[0].split(":")[0].lower() for part in text.split(". ") if any(marked(part + ".")))
    for word, share in shapes()["DeepSeek-R1"]["words"].items():
        assert words[word] / words.total() == pytest.approx(share, abs=0.04)


def test_knobs_are_read_and_checked():
    assert knobs(make("plan:groups=5,variety=2"))["variety"] == 2
    with pytest.raises(UnknownName, match="did you mean 'plan'"):
        make("plam")
    with pytest.raises(UnknownName, match="knob of plan"):
        make("plan:group=5")
    for text in (
        "plan:groups=1",
        "plan:groups=x",
        "plan:groups",
        "decoration:skew=5",
        "corrections:slip=1.5",
        "mixture:steps=0",
    ):
        with pytest.raises(BadOption):
            make(text)
    with pytest.raises(UnknownName, match="shape"):
        make("mixture:shape=GPT")
