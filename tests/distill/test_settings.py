"""Settings of a training: what transformers knows is taken, and the rest is named before anything is trained."""

import pytest

pytest.importorskip("trl", reason="needs pip install 'antidistill[train]'")

from antidistill.distill.settings import Training, changed, from_table, listed
from antidistill.distill.trainer import check_optimizer
from antidistill.errors import UnknownName, UsageError

pytestmark = pytest.mark.models


def test_every_schedule_that_is_allowed_can_be_made_of_steps_and_warmup():
    import torch
    from transformers import get_scheduler

    for name in listed("schedule"):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        found = get_scheduler(Training(schedule=name).schedule, optimizer, num_warmup_steps=2, num_training_steps=10)
        rates = []
        for _ in range(10):
            rates += found.get_last_lr()
            optimizer.step()
            found.step()
        assert 0 < max(rates) <= 0.1 + 1e-9, name


def test_names_that_transformers_does_not_know_are_refused_wherever_they_come_from():
    with pytest.raises(UnknownName, match=r"unknown schedule 'foo'; known: .*cosine.*linear"):
        Training(schedule="foo")
    with pytest.raises(UnknownName, match="did you mean 'adafactor'"):
        changed(Training(), "optimizer", "adafacto")
    with pytest.raises(UnknownName, match="unknown schedule '3'"):
        from_table(Training, {"schedule": 3})
    assert changed(Training(), "optimizer", "adafactor").optimizer == "adafactor"


def test_schedules_that_need_arguments_of_their_own_are_refused():
    with pytest.raises(UnknownName, match="unknown schedule 'warmup_stable_decay'"):
        Training(schedule="warmup_stable_decay")


def test_an_optimizer_whose_package_is_missing_is_named():
    for name in ("adamw_torch_fused", "adafactor", "sgd"):
        check_optimizer(Training(optimizer=name))
    with pytest.raises(UsageError, match="optimizer=adamw_torch_npu_fused cannot be made here"):
        check_optimizer(Training(optimizer="adamw_torch_npu_fused"))
