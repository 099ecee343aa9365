"""The eight functions of a sentence (arXiv 2506.19143, table 1), and what a tagger is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from antidistill import registry

FUNCTIONS: dict[str, str] = {
    "problem_setup": "reads or rephrases the problem",
    "plan_generation": "states or decides on a plan of action, or reasons about how to go on",
    "fact_retrieval": "recalls facts, formulas or details of the problem, without computing",
    "active_computation": "calculates, does algebra or another manipulation towards the answer",
    "uncertainty_management": "voices confusion, re-evaluates, considers alternatives, goes back",
    "result_consolidation": "gathers results, summarises, prepares the answer",
    "self_checking": "verifies earlier steps or results",
    "final_answer_emission": "states the final answer",
}
"""Name of each function, and what a sentence of it does."""


@runtime_checkable
class Tagger(Protocol):
    """Tells the function of every sentence of one reasoning; a frozen dataclass whose fields are its options."""

    @property
    def name(self) -> str:
        """The name under which it is registered."""
        ...

    def tag(self, sentences: Sequence[str], prompt: str = "") -> list[str]:
        """One of `FUNCTIONS` per sentence.

        Args:
            sentences: all sentences of the reasoning, in order, white space behind them included where it is known.
            prompt: what the model was asked.

        Raises:
            RowError: this reasoning cannot be tagged, with the reason.
        """
        ...


def make(name: str, **options: Any) -> Tagger:
    """The tagger `name` ("regex", "trained", "states", "endpoint") with its options.

    Raises:
        UnknownName: no such tagger, or no such option of it.
        MissingOption: an option without a default is not given (`url` and `model` of "endpoint").
        BadOption: an option out of its range.
    """
    tagger: Tagger = registry.make("taggers", name, **options)
    return tagger
