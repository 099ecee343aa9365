"""Cross-fitting: every trace is scored by a model that has seen neither it nor another trace of its prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from antidistill.measure.intervals import Fold, Sample

Rows = NDArray[np.int64]


class Matrix(Protocol):
    """Rows of a representation: a dense array, a sparse matrix, or several of them side by side."""

    def __getitem__(self, rows: Rows, /) -> Any:
        """The chosen rows."""
        ...


class Learner(Protocol):
    """A binary classifier in the way of scikit-learn; label 1 is guarded."""

    def fit(self, rows: Any, labels: NDArray[np.int64], /) -> Self:
        """Learns from `rows`."""
        ...

    def decision_function(self, rows: Any, /) -> NDArray[np.float64]:
        """One score per row, higher = more likely guarded."""
        ...


@dataclass(frozen=True, slots=True)
class Split:
    """One fold: row numbers of the two representations (row i of both belongs to prompt i of `prompts`)."""

    repeat: int
    train_clean: Rows
    train_guarded: Rows
    test_clean: Rows
    test_guarded: Rows


def splits(prompts: NDArray[np.int64], repeats: int, folds: int, seed: int) -> Iterator[Split]:
    """Splits in which no prompt stands on both sides, and no prompt is seen both clean and guarded.

    The prompts are shuffled and halved: of one half only the clean traces are used, of the other only the guarded ones.
    Each half is dealt into `folds`, so that all folds are balanced. Every repeat draws its own halves. (Exchanging the halves
    instead would not do: where guarded and clean are alike it gives the same result again, as if it confirmed it.)

    Args:
        prompts: integer codes, shape (rows,).
        repeats: how often to halve.
        folds: folds of each repeat.
        seed: of the shuffles.
    """
    names = np.unique(prompts)
    for repeat in range(repeats):
        order = np.random.default_rng((seed, repeat)).permutation(names)
        halves = (order[: len(order) // 2], order[len(order) // 2 :])
        for fold in range(folds):
            held = [half[fold::folds] for half in halves]
            kept = [np.setdiff1d(half, part) for half, part in zip(halves, held, strict=True)]
            rows = [np.flatnonzero(np.isin(prompts, part)) for part in (*kept, *held)]
            yield Split(repeat, *rows)


def within(cut: Split, prompts: NDArray[np.int64]) -> Split:
    """A split of the training traces alone: every third prompt of either half is held out.

    What is chosen by it owes nothing to the test traces of `cut`.
    """
    parts = []
    for rows in (cut.train_clean, cut.train_guarded):
        held = np.isin(prompts[rows], np.unique(prompts[rows])[::3])
        parts.append((rows[~held], rows[held]))
    (train_clean, test_clean), (train_guarded, test_guarded) = parts
    return Split(cut.repeat, train_clean, train_guarded, test_clean, test_guarded)


def cross_fit(
    learner: Any, clean: Matrix, guarded: Matrix, prompts: NDArray[np.int64], cuts: Sequence[Split]
) -> list[Fold]:
    """Held-out scores of each split; `learner` is a function that makes a fresh `Learner`."""
    return [_one_fold(learner(), clean, guarded, prompts, cut) for cut in cuts]


def _one_fold(learner: Learner, clean: Matrix, guarded: Matrix, prompts: NDArray[np.int64], cut: Split) -> Fold:
    labels = np.repeat(np.array([0, 1]), [len(cut.train_clean), len(cut.train_guarded)])
    fitted = learner.fit(stacked(clean[cut.train_clean], guarded[cut.train_guarded]), labels)
    ours = fitted.decision_function(clean[cut.test_clean])
    theirs = fitted.decision_function(guarded[cut.test_guarded])
    return Fold(Sample(ours, prompts[cut.test_clean]), Sample(theirs, prompts[cut.test_guarded]))


def stacked(upper: Any, lower: Any) -> Any:
    """One matrix with the rows of both."""
    if isinstance(upper, Blocks):
        return Blocks({name: stacked(part, lower.parts[name]) for name, part in upper.parts.items()})
    if isinstance(upper, np.ndarray):
        return np.concatenate([upper, lower])
    from scipy.sparse import vstack

    return vstack([upper, lower]).tocsr()


@dataclass(frozen=True, slots=True)
class Blocks:
    """Several named representations of the same rows."""

    parts: Mapping[str, Any]

    def __getitem__(self, rows: Any) -> Blocks:
        return Blocks({name: part[rows] for name, part in self.parts.items()})
