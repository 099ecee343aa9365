"""`antidistill game` turns measured payoffs into a commitment."""

import json

import orjson
import pytest

from antidistill.cli.main import run

PAYOFFS = {
    "rows": ["none", "traceguard k=20", "branches 15 %"],
    "columns": ["llama", "gemma"],
    "damage": [[0, 0], [4.0, 3.5], [2.0, 2.5]],
    "standard_errors": [[0, 0], [0.8, 0.8], [0.8, 0.8]],
    "visibility": {"none": 0.5, "traceguard k=20": 0.98, "branches 15 %": 0.67},
    "utility": {"none": 1.0, "traceguard k=20": 0.8, "branches 15 %": 0.9},
    "metrics": {"kl": {"none": 0, "traceguard k=20": 9, "branches 15 %": 2}},
}


@pytest.fixture
def payoffs(tmp_path):
    path = tmp_path / "payoffs.json"
    path.write_text(json.dumps(PAYOFFS))
    return path


def game(capfd, *arguments):
    """The answer that the command prints as JSON."""
    assert run(["game", *map(str, arguments), "--samples", "100", "--json", "-"]) == 0
    return orjson.loads(capfd.readouterr().out)


def test_a_limit_on_visibility_makes_a_mixture(capfd, payoffs):
    answer = game(capfd, payoffs, "--max-visibility", 0.6)
    assert answer["commitment"] == pytest.approx({"none": 7 / 17, "branches 15 %": 10 / 17})
    assert answer["value"] == pytest.approx(20 / 17)
    assert answer["low"] < answer["value"] < answer["high"]
    assert answer["binding"] == ["visibility"]
    assert answer["prices"]["visibility"] == pytest.approx(2 / 0.17)


def test_every_metric_can_be_limited(capfd, payoffs):
    answer = game(capfd, payoffs, "--min-utility", 0.85, "--limit", "kl<=1")
    assert answer["limits"] == ["utility >= 0.85", "kl <= 1"]
    assert answer["reached"]["kl"] <= 1 + 1e-6
    assert answer["binding"] == ["kl"]


def test_priors_come_from_the_option_or_the_file(capfd, payoffs, tmp_path):
    assert game(capfd, payoffs, "--prior", "uniform")["value"] == pytest.approx(3.75)
    assert game(capfd, payoffs, "--prior", "llama=0.9, gemma=0.1")["value"] == pytest.approx(3.95)
    with_prior = tmp_path / "prior.json"
    with_prior.write_text(json.dumps(PAYOFFS | {"prior": {"llama": 0.5, "gemma": 0.5}}))
    assert game(capfd, with_prior)["value"] == pytest.approx(3.75)
    assert game(capfd, with_prior, "--prior", "none")["value"] == pytest.approx(3.5)


def test_pure_and_cautious(capfd, payoffs):
    answer = game(capfd, payoffs, "--max-visibility", 0.7, "--pure", "--cautious")
    assert answer["commitment"] == {"branches 15 %": 1.0}
    assert answer["single"] == {"row": "branches 15 %", "value": 2.0}


def test_the_words_go_to_stdout_and_the_json_to_a_file(capfd, payoffs, tmp_path):
    target = tmp_path / "answer.json"
    assert run(["game", str(payoffs), "--max-visibility", "0.6", "--json", str(target)]) == 0
    printed = " ".join(capfd.readouterr().out.split())
    assert printed.startswith("Commit to branches 15 % with probability 0.588 and none with probability 0.412.")
    assert "The limit visibility <= 0.6 (reached: 0.6) binds: widening it by 0.01 is worth 0.118 of damage." in printed
    assert orjson.loads(target.read_bytes())["binding"] == ["visibility"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--max-visibility", "0.4"], "the nearest, 'none', reaches 0.5"),
        (["--limit", "kl<3"], "for instance kl<=2.0"),
        (["--limit", "lk<=3"], "did you mean 'kl'"),
        (["--prior", "lama=1"], "did you mean 'llama'"),
        (["--prior", "llama"], "option prior='llama' is not allowed"),
        (["--prior", "llama=0.5"], "add up to 1"),
        (["--max-visibility", "0.6", "--limit", "visibility<=0.7"], "one limit per metric"),
    ],
)
def test_wrong_use_is_one_sentence(capfd, payoffs, arguments, says):
    assert run(["game", str(payoffs), *arguments]) == 2
    message = capfd.readouterr().err
    assert says in message
    assert message.count("\n") == 1


def test_a_missing_cell_is_named(capfd, tmp_path):
    path = tmp_path / "payoffs.json"
    path.write_text(json.dumps(PAYOFFS | {"damage": [[0, 0], [4.0, None], [2.0, 2.5]]}))
    assert run(["game", str(path)]) == 2
    assert "'traceguard k=20' against 'gemma'" in capfd.readouterr().err
