"""A payoff file is read whole, or the wrong cell is named."""

import json
import math

import numpy as np
import pytest

from antidistill.errors import InputError, MissingCell, NotFinite, PayoffError, UnknownName, WrongShape
from antidistill.theory.game import parse, read
from antidistill.theory.game.reading import parse_prior

SMALL = {
    "rows": ["none", "branches"],
    "columns": ["llama", "gemma"],
    "damage": [[0, 0], [3.0, 2.0]],
    "visibility": {"none": 0.5, "branches": 0.66},
}
FULL = SMALL | {
    "standard_errors": [[0, 0], [0.5, 0.4]],
    "utility": {"none": 1, "branches": {"value": 0.9, "low": 0.8, "high": 1.0, "n": 50}},
    "metrics": {"kl": {"none": 0, "branches": 12}},
    "prior": {"llama": 0.75, "gemma": 0.25},
    "responses": {"filter": {"damage": [[0, 0], [1.0, 0.5]], "cost": {"llama": 0.2, "gemma": 0.3}}},
}


def test_all_parts_are_read(tmp_path):
    path = tmp_path / "payoffs.json"
    path.write_text(json.dumps(FULL))
    payoffs = read(path)
    assert payoffs.rows == ("none", "branches")
    assert payoffs.damage.value.tolist() == [[0, 0], [3, 2]]
    assert payoffs.damage.error.tolist() == [[0, 0], [0.5, 0.4]]
    assert {name: metric.value.tolist() for name, metric in payoffs.metrics.items()} == {
        "visibility": [0.5, 0.66],
        "utility": [1, 0.9],
        "kl": [0, 12],
    }
    assert payoffs.metrics["utility"].low.tolist() == [1, 0.8]
    assert payoffs.prior.tolist() == [0.75, 0.25]
    assert payoffs.responses["filter"].cost.tolist() == [0.2, 0.3]


def test_a_cost_may_be_one_number_for_all():
    responses = {"filter": {"damage": [[0, 0], [1, 1]], "cost": 0.5}, "paraphrase": {"damage": [[0, 0], [1, 1]]}}
    parsed = parse(SMALL | {"responses": responses}).responses
    assert parsed["filter"].cost.tolist() == [0.5, 0.5]
    assert parsed["paraphrase"].cost.tolist() == [0, 0]


def test_estimates_carry_their_error():
    cell = {"value": 3.0, "low": 3.0 - 1.959964, "high": 3.0 + 1.959964, "n": 500}
    damage = parse(SMALL | {"damage": [[0, 0], [cell, 2.0]]}).damage
    assert damage.value[1, 0] == 3.0
    assert damage.error == pytest.approx(np.array([[0, 0], [1, 0]]))


def test_replicates_stand_for_the_damage():
    replicates = [[[0, 0], [3, 2]], [[0, 0], [5, 2]]]
    damage = parse({**{key: value for key, value in SMALL.items() if key != "damage"}, "replicates": replicates}).damage
    assert damage.value.tolist() == [[0, 0], [4, 2]]
    assert damage.replicates.shape == (2, 2, 2)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"damage": [[0, 0], [3.0, None]]}, MissingCell, "'branches' against 'gemma'"),
        ({"damage": [[0, 0], [3.0, math.nan]]}, NotFinite, "'branches' against 'gemma' is nan"),
        ({"damage": [[0, 0], [math.inf, 1]]}, NotFinite, "'branches' against 'llama' is inf"),
        ({"damage": [[0, 0], ["3", 1]]}, NotFinite, "is '3'"),
        ({"damage": [[0, 0], [True, 1]]}, NotFinite, "is True"),
        ({"damage": [[0, 0], [{"low": 1, "high": 2}, 1]]}, MissingCell, "'branches' against 'llama'"),
        ({"damage": [[0, 0]]}, WrongShape, "1 rows: it must have 2 rows of 2 cells"),
        ({"damage": [[0, 0], [1, 2, 3]]}, WrongShape, "3 cells in row 'branches'"),
        ({"damage": {"none": 1}}, WrongShape, "no list of rows"),
        ({"damage": [[0, 0], 3]}, WrongShape, "no list of cells in row 'branches'"),
        ({"visibility": {"none": 0.5}}, MissingCell, "visibility has no value for 'branches'"),
        ({"visibility": {"none": 0.5, "branches": math.nan}}, NotFinite, "visibility of 'branches' is nan"),
        ({"visibility": {"none": 0.5, "branchs": 0.6}}, UnknownName, "did you mean 'branches'"),
        ({"visibilty": {}}, UnknownName, "did you mean 'visibility'"),
        ({"metrics": {"kl": {"none": 1}}}, MissingCell, "kl has no value for 'branches'"),
        ({"visibility_name": " "}, PayoffError, "visibility_name must be a name in words"),
        ({"worlds": {}, "machine": {}}, PayoffError, "give one of the payoffs-"),
        ({"prior": {"llama": 0.9}}, PayoffError, "adds up to 0.9: give"),
        ({"metrics": [1]}, PayoffError, "metrics must be an object, not list"),
        ({"rows": []}, PayoffError, "rows must be a list of at least one name"),
        ({"rows": ["none", "none"]}, PayoffError, "rows names 'none' twice"),
        ({"columns": [1, 2]}, PayoffError, "columns must be a list"),
        ({"standard_errors": [[0, 0], [0, -1]]}, PayoffError, "standard error of damage is -1"),
        ({"standard_errors": [[0, 0]]}, WrongShape, "standard errors of damage has 1 rows"),
        ({"replicates": [[[0, 0], [1, 1]]]}, WrongShape, "1 tables: it must have at least 2"),
        ({"replicates": [[[0, 0], [1, 1]], [[0, 0]]]}, WrongShape, "replicate 2 of damage"),
        ({"replicates": [], "standard_errors": []}, PayoffError, "give one of them"),
        ({"prior": {"llama": 0.5}}, PayoffError, "add up to 1"),
        ({"prior": {"llama": 1.5, "gemma": -0.5}}, PayoffError, "from 0 to 1"),
        ({"prior": {"lama": 1.0}}, UnknownName, "did you mean 'llama'"),
        ({"responses": {"train": {"damage": [[0, 0], [0, 0]]}}}, PayoffError, "cannot be called 'train'"),
        ({"responses": {"filter": {}}}, PayoffError, "damage after 'filter' is missing"),
        ({"responses": {"filter": {"damage": [[0, 0], [0, 0]], "cots": 1}}}, UnknownName, "did you mean 'cost'"),
        ({"responses": {"filter": {"damage": [[0, 0], [0, None]]}}}, MissingCell, "damage after 'filter'"),
    ],
)
def test_what_is_wrong_is_named(change, error, says):
    with pytest.raises(error, match=says.replace("(", r"\(")):
        parse(SMALL | change)


def test_a_table_without_damage_is_refused():
    with pytest.raises(PayoffError, match="damage is missing"):
        parse({"rows": ["a"], "columns": ["b"]})


def test_a_file_that_is_not_there_or_not_json_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "missing.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        read(broken)


def test_a_file_with_nan_names_the_cell(tmp_path):
    path = tmp_path / "payoffs.json"
    path.write_text(json.dumps(SMALL | {"damage": [[0, 0], [math.nan, 1]]}))
    with pytest.raises(NotFinite, match="'branches' against 'llama'"):
        read(path)


def test_visibility_may_say_what_it_is():
    assert parse(SMALL).visibility_name == "visibility"
    assert parse(SMALL | {"visibility_name": "paired TF-IDF distance"}).visibility_name == "paired TF-IDF distance"


def test_columns_without_a_prior_have_none():
    assert parse_prior({"b": 1.0}, ["a", "b"]).tolist() == [0.0, 1.0]
