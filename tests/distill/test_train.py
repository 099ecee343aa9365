"""Training: it learns, a stopped training ends where one that ran through ends, adapters are merged."""

from dataclasses import replace

import pytest
from tests.distill import small

from antidistill.distill import Asking, Lora, Training, evaluate, train
from antidistill.errors import InputError

pytest.importorskip("trl", reason="needs pip install 'antidistill[train]'")
pytestmark = pytest.mark.models
FAST = Training(learning_rate=5e-3, batch=32, device_batch=32, max_length=128, precision="float32")


def test_a_student_learns_and_is_graded(tmp_path):
    trained = train(small.model(), small.tokenizer(), small.traces(200), replace(FAST, epochs=5), small.PLAIN)
    assert trained.losses[-1][1] < trained.losses[0][1] / 3
    asking = Asking(max_new_tokens=40, force=True)
    found = evaluate(trained.model, small.tokenizer(), small.questions(), asking, small.PLAIN, folder=tmp_path)
    numbers = found.estimates()
    assert numbers["finished"].value > 0.9
    assert numbers["accuracy"].value == pytest.approx(numbers["finished"].value * numbers["accuracy_of_finished"].value)
    assert numbers["accuracy_forced_by_student"].value >= numbers["accuracy"].value - 0.1
    # what was written is not asked for again: another student reads the first one's outputs back
    again = evaluate(small.model(seed=9), small.tokenizer(), small.questions(), asking, small.PLAIN, folder=tmp_path)
    assert again == found


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path):
    import torch

    class Stop(Exception):
        pass

    def stop(step):
        if step.startswith("step 6"):
            raise Stop

    settings = replace(FAST, epochs=4, save_every=2)
    whole = train(small.model(), small.tokenizer(), small.traces(64), settings, small.PLAIN)
    with pytest.raises(Stop):
        train(small.model(), small.tokenizer(), small.traces(64), settings, small.PLAIN, folder=tmp_path, progress=stop)
    rest = train(small.model(), small.tokenizer(), small.traces(64), settings, small.PLAIN, folder=tmp_path)
    for ours, theirs in zip(whole.model.parameters(), rest.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_an_adapter_is_merged():
    trained = train(small.model(), small.tokenizer(), small.traces(32), replace(FAST, lora=Lora(rank=4)), small.PLAIN)
    assert type(trained.model) is type(small.model())
    assert not any("lora" in name for name, _ in trained.model.named_parameters())


def test_prompts_that_leave_no_room_are_refused():
    with pytest.raises(InputError, match="none of 4 traces has a prompt under 2 tokens"):
        train(small.model(), small.tokenizer(), small.traces(4), replace(FAST, max_length=2), small.PLAIN)
