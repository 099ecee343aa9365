"""Which guarded trace belongs to which clean one."""

import pytest

from antidistill.errors import InputError
from antidistill.measure.pairing import pair, sample
from antidistill.trace import Trace


def trace(name, prompt, reasoning="r"):
    return Trace(name, prompt, reasoning, "a")


def test_pairs_by_id_whatever_the_order():
    clean = [trace("1", "p"), trace("2", "q")]
    pairs = pair(clean, [trace("2", "q", "cut"), trace("1", "p", "short")])
    assert [(ours.id, theirs.reasoning) for ours, theirs in zip(pairs.clean, pairs.guarded, strict=True)] == [
        ("1", "short"),
        ("2", "cut"),
    ]


def test_rows_without_a_partner_are_counted():
    pairs = pair([trace("1", "p"), trace("2", "q"), trace("3", "r")], [trace("3", "r"), trace("9", "z")])
    assert ([ours.id for ours in pairs.clean], pairs.left_out) == (["3"], 3)


def test_repeated_or_other_ids_pair_by_order():
    clean = [trace("same", "p"), trace("same", "q")]
    assert pair(clean, [trace("same", "p", "x"), trace("same", "q", "y")]).guarded[1].reasoning == "y"
    assert pair([trace("1", "p")], [trace("a", "p")]).left_out == 0


@pytest.mark.parametrize(
    ("clean", "guarded", "said"),
    [
        ([], [trace("1", "p")], "nothing to compare: 0 clean and 1 guarded"),
        ([trace("1", "p")], [trace("1", "another")], "pair 0 (ids '1' and '1') has the prompts 'p' and 'another'"),
        ([trace("1", "p"), trace("2", "q")], [trace("a", "q"), trace("b", "p")], "do not belong together: pair 0"),
        ([trace("1", "p"), trace("2", "q")], [trace("a", "p")], "2 and 1 rows"),
        ([trace("1", "p")], [trace("1", "p"), trace("2", "q"), trace("3", "r")], "only 1 of 3 guarded ids"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(clean, guarded, said):
    with pytest.raises(InputError) as error:
        pair(clean, guarded)
    assert said in str(error.value)


def test_a_sample_holds_whole_prompts_in_their_order():
    clean = [trace(str(row), f"p{row // 2}") for row in range(20)]
    drawn = sample(pair(clean, clean), 6, seed=1)
    rows = [int(ours.id) for ours in drawn.clean]
    assert rows == sorted(rows)
    assert len(rows) == 6
    assert len({row // 2 for row in rows}) == 3
    assert sample(pair(clean, clean), 6, seed=1) == drawn


@pytest.mark.parametrize("most", [0, 20, 100])
def test_a_sample_of_all_is_all(most):
    pairs = pair([trace(str(row), "p") for row in range(20)], [trace(str(row), "p") for row in range(20)])
    assert sample(pairs, most, seed=0) is pairs
