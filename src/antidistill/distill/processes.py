"""Several processes of one run, as `accelerate launch` or `torchrun` starts them: who asks what, how they put it together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")


def is_first() -> bool:
    """Whether this process writes what is written once."""
    return bool(state().is_main_process)


def my_number() -> int:
    """Number of this process, from 0."""
    return int(state().process_index)


def my_share(items: Sequence[Item]) -> list[Item]:
    """Every n-th item, from the number of this process on."""
    own = state()
    return list(items[own.process_index :: own.num_processes])


def gathered(items: list[Item]) -> list[Item]:
    """The items of all processes, those of the first process first; each process gets them."""
    if state().num_processes == 1:
        return items
    from accelerate.utils import gather_object

    found: list[Item] = gather_object(items)
    return found


def state() -> Any:
    """The processes as accelerate sees them.

    It asks for processors by name where there is nothing faster: otherwise accelerate takes several processes on processors for
    one, until the trainer tells it better.
    """
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.accelerator.is_available())
