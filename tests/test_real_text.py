"""The real-text benchmark: what takes part, what a cell's key depends on, and intervals that cover."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antidistill.distill import Training
from tests.distill import small

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

from real_text_damage import estimate, tables  # noqa: E402, the scripts are no package
from real_text_plan import CONDITIONS, TEACHERS, Cell, Plan, Pool, key  # noqa: E402

PLAN = Plan("small", 0.1, 5, 4, Training(max_length=5000))


@pytest.fixture(scope="module")
def rows(shared):
    """The first 60 traces of every teacher, of the same questions."""
    every = pq.read_table(shared / "traces_gsm8k_4models.parquet").to_pylist()
    models = dict.fromkeys(row["model"] for row in every)
    return [row for model in models for row in [row for row in every if row["model"] == model][:60]]


@pytest.fixture(scope="module")
def pool(rows, tmp_path_factory):
    pytest.importorskip("transformers", reason="needs transformers")
    path = tmp_path_factory.mktemp("real-text") / "traces.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return Pool(path, PLAN, small.tokenizer())


def test_only_traces_of_the_two_teachers_that_fit_take_part(pool, rows):
    models = {row["id"]: row["model"] for row in rows}
    for name, traces in pool.traces.items():
        found = {models[trace.id] for trace in traces}
        assert len(found) == 1
        assert next(iter(found)).split()[0] == TEACHERS[name]
        assert 2 * PLAN.held_out < len(traces) <= 60


def test_no_student_trains_on_a_prompt_that_is_held_out(pool):
    for seed in range(4):
        material = pool.material(Cell("none", seed))
        held = {trace.prompt for trace in material.held_out}
        assert len(held) == len(material.held_out) == 2 * PLAN.held_out
        assert not held & {trace.prompt for trace in material.learned}
        assert material.teachers == ["DeepSeek-R1"] * 4 + ["QwQ-32B"] * 4


def test_conditions_train_on_the_same_prompts_in_the_same_order(pool):
    clean = pool.material(Cell("none", 1))
    assert clean.learned == clean.clean
    for condition in CONDITIONS[1:]:
        other = pool.material(Cell(condition, 1))
        assert [t.prompt for t in other.learned] == [t.prompt for t in clean.learned]
        assert [t.answer for t in other.learned] == [t.answer for t in clean.learned]
        assert other.held_out == clean.held_out
        assert other.learned != clean.learned
    assert pool.material(Cell("none", 2)).learned != clean.learned
    assert pool.material(Cell("none", 2)).held_out == clean.held_out


def test_a_key_is_that_of_texts_and_training(pool):
    cell = Cell("none", 0)
    material = pool.material(cell)
    same = key(PLAN, cell, material)
    assert key(PLAN, Cell("as if renamed", 0), replace(material, spec="another version")) == same
    assert key(replace(PLAN, share=0.5), cell, material) == same  # it shows in the texts, or nowhere
    assert key(PLAN, Cell("none", 1), material) != same
    assert key(replace(PLAN, student="gemma"), cell, material) != same
    assert key(replace(PLAN, training=replace(PLAN.training, learning_rate=1.0)), cell, material) != same
    changed = [replace(material.learned[0], reasoning="x"), *material.learned[1:]]
    assert key(PLAN, cell, replace(material, learned=changed)) != same
    assert key(PLAN, cell, replace(material, learned=material.learned[::-1])) != same
    assert key(PLAN, cell, replace(material, held_out=material.held_out[:-1])) != same


def test_intervals_cover_with_seeds_and_traces_that_both_vary():
    """Effects of seeds, of traces and of both: at least 85 of 100 intervals of three seeds cover, which few seeds allow."""
    chance = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        sums = 50 * (0.01 + 0.002 * chance.normal(size=(3, 1)) + 0.02 * chance.normal(size=(1, 24)))
        sums += 0.2 * chance.normal(size=sums.shape)
        found = estimate(sums, np.full(sums.shape, 50.0))
        assert found["low"] <= found["value"] <= found["high"]
        covered += found["low"] <= 0.01 <= found["high"]
    assert covered >= 85


def test_damage_is_paired_by_seed_and_split_by_part():
    def cell(condition, seed, extra):
        nats = [[10 + seed + extra, 10.0 + seed, 10.0 + seed, 5.0], [20.0 + seed, 0.0, 10.0 + seed, 5.0]]
        tokens = [[10.0, 10.0, 10.0, 5.0], [10.0, 0.0, 10.0, 5.0]]
        return {
            "condition": condition,
            "seed": seed,
            "removed_share": 0.1,
            "teachers": ["a", "b"],
            "nats": nats,
            "tokens": tokens,
        }

    cells = [cell("none", 0, 0), cell("none", 1, 0), cell("steps", 0, 4), cell("steps", 1, 4), cell("late", 2, 4)]
    found = tables(cells)
    assert list(found) == ["steps"]  # a seed without its clean student has nothing to be compared with
    assert found["steps"]["marker"]["value"] == pytest.approx(4 / 20)
    assert found["steps"]["other"]["value"] == found["steps"]["reasoning_outside_markers"]["value"] == 0
    assert found["steps"]["seeds"] == 2
    assert tables(cells, teacher="a")["steps"]["marker"]["value"] == pytest.approx(4 / 10)
    assert tables(cells, "steps") == {}


def test_too_few_traces_are_said_to_be_too_few(rows, tmp_path):
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "traces.parquet")
    many = Pool(tmp_path / "traces.parquet", replace(PLAN, train=1000), small.tokenizer())
    with pytest.raises(SystemExit, match="left to train on, 1000 are wanted: allow longer ones"):
        many.material(Cell("none", 0))
