"""Every recipe runs with tiny random models of its student's architecture."""

from dataclasses import replace

import pytest
from tests.distill import small

from antidistill.distill.recipes import names, read_recipe
from antidistill.errors import BadOption, InputError, UnknownName

PUBLISHED = [name for name in names() if name.startswith("traceguard")]


def test_the_published_set_ups_are_there():
    found = {
        (r.student.rpartition("/")[2], "mmlu" in r.name): r.conditions[0].expected for r in map(read_recipe, PUBLISHED)
    }
    assert found == {
        ("Llama-3.2-3B", False): {"accuracy": 20.89},
        ("gemma-3-1b-pt", False): {"accuracy": 20.13},
        ("Llama-3.2-3B", True): {"accuracy": 49.20},
        ("Llama-3.2-1B", True): {"accuracy": 36.96},
    }


@pytest.mark.models
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_runs_with_a_tiny_student_of_the_same_architecture(name, tmp_path):
    pytest.importorskip("trl", reason="needs pip install 'antidistill[train]'")
    from antidistill.distill.experiment import Experiment, run

    recipe = read_recipe(name)
    small.model(recipe.config["model_type"]).save_pretrained(tmp_path / "student")
    small.tokenizer().save_pretrained(tmp_path / "student")
    experiment = Experiment(
        str(tmp_path / "student"),
        recipe.conditions[:2],
        small.traces(24),
        small.questions()[:3],
        replace(recipe.training, max_length=128, epochs=1),
        replace(recipe.asking, max_new_tokens=4),
        recipe.layout,
        folder=tmp_path / "work",
    )
    result = run(experiment)
    assert list(result["conditions"]) == ["clean", "traceguard k=10"]
    assert result["conditions"]["clean"]["training"]["steps"] == 2
    assert result["conditions"]["traceguard k=10"]["removed_share"] > 0.1
    assert result["comparisons"]["traceguard k=10"]["accuracy"]["n"] == 3
    assert run(experiment) == result  # read back


def test_wrong_recipes_are_named(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'traceguard-math-llama-3b'"):
        read_recipe("traceguard-math-llama")
    path = tmp_path / "own.toml"
    path.write_text('student = "x"\n')
    with pytest.raises(InputError, match="needs conditions, questions, source"):
        read_recipe(str(path))
    path.write_text('source = ""\nstudent = "x"\nconditions = []\nquestions = {source = "q"}\ntraining = {epoch = 1}\n')
    with pytest.raises(BadOption, match="epochs"):
        read_recipe(str(path))
