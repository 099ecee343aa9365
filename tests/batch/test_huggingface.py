"""`datasets` objects: the same edits as by hand, and everything else as it was."""

import pytest

import antidistill as ad
from antidistill.batch.huggingface import guard_dataset, restore_dataset
from antidistill.errors import KeyFileError, LedgerError, OutputError, RowError, UnknownName, UsageError
from antidistill.formats import locate
from antidistill.trace import trace_key

datasets = pytest.importorskip("datasets", reason="needs the extra hf")

R = "Okay, two and two. Wait, let me check that. I count. Hmm, is it five? No, it is four.\n\nFour it is."
CHATS = [
    [
        {"role": "user", "content": f"What is {n}+2?"},
        {"role": "assistant", "content": f"<think>{R} So {n}.</think>{n + 2}"},
    ]
    for n in range(5)
]
DEFENSE = ad.defense("random-sentences", share=0.4, key=b"secret" * 6)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    datasets.disable_progress_bars()


@pytest.fixture
def dataset():
    return datasets.Dataset.from_dict({"id": list(range(5)), "messages": CHATS, "score": [0.5] * 5})


def by_hand(row):
    (found,) = locate(row)
    return ad.guard(found.trace, DEFENSE).reasoning


def test_dataset(dataset):
    guarded = guard_dataset(dataset, DEFENSE)
    assert guarded.features == dataset.features
    assert guarded.format == dataset.format
    for before, after in zip(dataset, guarded, strict=True):
        text = before["messages"][1]["content"]
        (found,) = locate(before)
        before["messages"][1]["content"] = text.replace(found.trace.reasoning, by_hand(before))
        assert after == before
    assert any(
        len(a["messages"][1]["content"]) < len(b["messages"][1]["content"])
        for a, b in zip(guarded, dataset, strict=True)
    )


def test_streamed_dataset_is_the_same(dataset):
    guarded = guard_dataset(dataset.to_iterable_dataset(), DEFENSE)
    assert isinstance(guarded, datasets.IterableDataset)
    assert list(guarded) == list(guard_dataset(dataset, DEFENSE))


def test_processes_change_nothing(dataset):
    assert list(guard_dataset(dataset, DEFENSE, jobs=2)) == list(guard_dataset(dataset, DEFENSE))


def test_dict_of_splits(dataset):
    guarded = guard_dataset(datasets.DatasetDict(train=dataset, test=dataset.select([0])), DEFENSE)
    assert isinstance(guarded, datasets.DatasetDict)
    assert list(guarded["test"]) == [guard_dataset(dataset, DEFENSE)[0]]


def test_format_stays(dataset):
    guarded = guard_dataset(dataset.with_format("numpy", columns=["score"]), DEFENSE)
    assert guarded.format == dataset.with_format("numpy", columns=["score"]).format
    assert guarded.num_columns == 3


def test_rows_without_id_or_prompt_are_called_by_their_number():
    dataset = datasets.Dataset.from_dict({"reasoning": [R, R]})
    names = [ad.Trace(str(n), "", R, "") for n in (1, 2)]
    assert names[0].key == trace_key("", "1")
    assert guard_dataset(dataset, DEFENSE)["reasoning"][:] == [ad.guard(trace, DEFENSE).reasoning for trace in names]


def test_columns_that_betray(dataset):
    counted = dataset.add_column("num_tokens", [5] * 5).add_column("token_ids", [[1, 2]] * 5)
    with pytest.raises(UsageError, match=r"num_tokens \(token count\), token_ids \(token ids\)"):
        guard_dataset(counted, DEFENSE)
    assert list(guard_dataset(counted, DEFENSE, leaks="drop")) == list(guard_dataset(dataset, DEFENSE))
    assert list(guard_dataset(counted.to_iterable_dataset(), DEFENSE, leaks="drop")) == list(
        guard_dataset(dataset, DEFENSE)
    )
    assert guard_dataset(counted, DEFENSE, leaks="keep")["num_tokens"][:] == [5] * 5


def test_unknown_policy_for_leaks(dataset):
    with pytest.raises(
        UnknownName, match=r"unknown value of leaks 'guards'; known: drop, guard, .* did you mean 'guard'"
    ):
        guard_dataset(dataset, DEFENSE, leaks="guards")


def test_values_that_betray():
    rows = [{"reasoning": R, "usage": {"total_tokens": 9, "prompt_tokens": 3}}]
    dataset = datasets.Dataset.from_list(rows)
    with pytest.raises(RowError, match=r"row 1: .*usage.total_tokens"):
        guard_dataset(dataset, DEFENSE)
    guarded = guard_dataset(dataset, DEFENSE, leaks="drop")
    assert guarded[0]["usage"] == {"total_tokens": None, "prompt_tokens": 3}


def test_row_of_no_dialect():
    with pytest.raises(RowError, match="row 1: no column can hold reasoning"):
        guard_dataset(datasets.Dataset.from_dict({"a": ["x"]}), DEFENSE)


def test_empty_dataset(dataset):
    assert len(guard_dataset(dataset.select([]), DEFENSE)) == 0


def leaking(dataset):
    return dataset.add_column("num_tokens", [5] * 5).add_column(
        "usage", [{"total_tokens": n, "n": n} for n in range(5)]
    )


@pytest.mark.parametrize("leaks", ["guard", "drop"])
def test_ledger_gives_back_the_original(dataset, tmp_path, leaks):
    original = leaking(dataset) if leaks == "drop" else dataset
    original = datasets.DatasetDict(train=original, test=original.select([3, 1]))
    ledger = tmp_path / "ledger.jsonl"
    guarded = guard_dataset(original, DEFENSE, leaks=leaks, ledger=ledger)
    plain = guard_dataset(original, DEFENSE, leaks=leaks)
    assert {split: list(part) for split, part in guarded.items()} == {s: list(part) for s, part in plain.items()}
    assert list(guarded["train"]) != list(original["train"])
    restored = restore_dataset(guarded, ledger, key=DEFENSE.key)
    for split, part in original.items():
        assert list(restored[split]) == list(part)
        assert restored[split].features == part.features
    assert ledger.stat().st_mode & 0o777 == 0o600
    assert b"let me check" not in ledger.read_bytes()


def test_ledger_of_many_batches_keeps_the_format(tmp_path):
    rows = [{"id": n, "reasoning": f"{n} and {n}. {R}", "answer": str(n)} for n in range(2300)]
    original = datasets.Dataset.from_list(rows).with_format("numpy", columns=["id"])
    guarded = guard_dataset(original, DEFENSE, ledger=tmp_path / "ledger.jsonl")
    restored = restore_dataset(guarded, tmp_path / "ledger.jsonl", key=DEFENSE.key)
    assert restored.format == guarded.format == original.format
    assert list(restored.with_format(None)) == rows


def test_ledger_notices_what_does_not_belong_to_it(dataset, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    guarded = guard_dataset(dataset, DEFENSE, ledger=ledger)
    with pytest.raises(LedgerError, match="do not belong together"):
        restore_dataset(dataset, ledger, key=DEFENSE.key)
    with pytest.raises(LedgerError, match="ends before"):
        restore_dataset(guarded.select(range(4)), ledger, key=DEFENSE.key)
    with pytest.raises(LedgerError, match="give what was guarded"):
        restore_dataset(datasets.DatasetDict(train=guarded), ledger, key=DEFENSE.key)
    with pytest.raises(KeyFileError, match="give that one"):
        restore_dataset(guarded, ledger, key=b"another secret key")
    with pytest.raises(OutputError, match="exists"):
        guard_dataset(dataset, DEFENSE, ledger=ledger)


def test_ledger_that_is_not_possible(dataset, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with pytest.raises(UsageError, match="load it without streaming"):
        guard_dataset(dataset.to_iterable_dataset(), DEFENSE, ledger=ledger)
    with pytest.raises(UsageError, match="leave jobs out"):
        guard_dataset(dataset, DEFENSE, ledger=ledger, jobs=2)
    with pytest.raises(RowError, match=r"row 2: .*usage.total_tokens"):
        guard_dataset(leaking(dataset).remove_columns("num_tokens"), DEFENSE, ledger=ledger)
    assert not list(tmp_path.glob("*ledger*"))
