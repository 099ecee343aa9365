"""The taggers by name: every sentence gets a known function, and what each tagger is for comes out."""

import numpy as np
import pytest
from hypothesis import given, settings
from tests.texts import reasonings

from antidistill import split
from antidistill.anchors.functions import FUNCTIONS, Tagger, make
from antidistill.anchors.functions.trained import LinearModel, TrainedTagger, load, save
from antidistill.anchors.functions.training import Labelled, choose, fit
from antidistill.errors import InputError, UnknownName

WORDS = {
    "plan_generation": "Let us try a new plan.",
    "active_computation": "So 3 + 4 = 7.",
    "uncertainty_management": "Wait, I doubt it.",
}


def examples(problems: int) -> list[Labelled]:
    functions = list(WORDS) * 4
    return [
        Labelled("What is 3 + 4?", [f"{WORDS[name]} " for name in functions], functions, f"p{n}")
        for n in range(problems)
    ]


@pytest.mark.parametrize("name", ["regex", "trained"])
@settings(max_examples=60, deadline=None)
@given(text=reasonings)
def test_every_sentence_gets_one_known_function(name, text):
    tagger = make(name)
    sentences = split(text)
    tags = tagger.tag(sentences, "What is 2 + 2?")
    assert isinstance(tagger, Tagger)
    assert len(tags) == len(sentences)
    assert set(tags) <= set(FUNCTIONS)
    assert tags == tagger.tag(sentences, "What is 2 + 2?")


@pytest.mark.parametrize(
    ("sentence", "function"),
    [
        ("Alternatively, I could use symmetry.", "plan_generation"),
        ("Wait, that is off by one.", "uncertainty_management"),
        ("\\boxed{12} is it.", "final_answer_emission"),
        ("2 + 2 = 4.", "active_computation"),
        ("The moon.", "active_computation"),
        ("I recall the formula for arcs.", "fact_retrieval"),
    ],
)
def test_the_keyword_rules_of_the_paper(sentence, function):
    assert make("regex").tag([sentence]) == [function]


def test_the_shipped_tagger_knows_clear_cases_and_its_problems():
    text = "I need to find how many there are. The box is 12 by 4. Wait, maybe I made a mistake there. 12 * 4 = 48. **Final Answer** The final answer is \\boxed{48}. "
    tags = TrainedTagger().tag(split(text), "How many?")
    assert tags[2] == "uncertainty_management"
    assert tags[3] == "active_computation"
    assert tags[-1] == "final_answer_emission"
    assert len(TrainedTagger().problems) == 5


def test_probabilities_sum_to_one():
    found = TrainedTagger().probabilities(split("One. Two is 2. Wait, no."))
    assert found.shape == (3, len(FUNCTIONS))
    assert found.sum(axis=1) == pytest.approx(1)


def test_training_finds_what_separates_the_labels_and_survives_the_file(tmp_path):
    model = fit(examples(3), strength=1.0)
    save(tmp_path / "tagger.npz", model)
    tagger = make("trained", model=str(tmp_path / "tagger.npz"))
    one = examples(1)[0]
    assert tagger.tag(one.sentences, one.prompt) == list(one.functions)
    before, after = (each.probabilities(one.sentences, one.prompt) for each in (model, load(tmp_path / "tagger.npz")))
    assert np.abs(before - after).max() < 0.01
    assert load(tmp_path / "tagger.npz").problems == ("p0", "p1", "p2")


def test_the_penalty_is_chosen_among_the_given_problems_alone():
    assert choose(examples(1)) in (0.15, 0.3, 0.6)
    assert choose(examples(3)) in (0.15, 0.3, 0.6)


def test_neighbours_count():
    model = fit(examples(3), strength=1.0)
    alone = model.probabilities(["Hm. "])
    behind = model.probabilities(["Let us try a new plan. ", "Hm. "])
    assert isinstance(model, LinearModel)
    assert np.abs(alone[0] - behind[1]).max() > 0.01


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 rubbish", b"\x80\x04K\x01."])
def test_a_file_that_is_no_tagger_is_named(tmp_path, content):
    file = tmp_path / "x.npz"
    file.write_bytes(content)
    with pytest.raises(InputError, match="holds no tagger"):
        make("trained", model=str(file))


def test_a_pickle_in_the_file_is_not_run(tmp_path):
    np.savez(tmp_path / "x.npz", terms=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="holds no tagger"):
        load(tmp_path / "x.npz")


def test_unknown_names_and_options_are_told():
    with pytest.raises(UnknownName, match="did you mean 'trained'"):
        make("trainde")
    with pytest.raises(UnknownName, match="option of regex"):
        make("regex", speed=3)
