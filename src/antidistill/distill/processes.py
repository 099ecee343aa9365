"""Several processes of one run, as `accelerate launch` starts them: who asks what, and how they put it together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")


def is_first() -> bool:
    """Whether this process writes what is written once."""
    return bool(_state().is_main_process)


def my_number() -> int:
    """Number of this process, from 0."""
    return int(_state().process_index)


def my_share(items: Sequence[Item]) -> list[Item]:
    """Every n-th item, from the number of this process on."""
    state = _state()
    return list(items[state.process_index :: state.num_processes])


def gathered(items: list[Item]) -> list[Item]:
    """The items of all processes, those of the first process first; each process gets them."""
    if _state().num_processes == 1:
        return items
    from accelerate.utils import gather_object

    found: list[Item] = gather_object(items)
    return found


def _state() -> Any:
    from accelerate import PartialState

    return PartialState()
