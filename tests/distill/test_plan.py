"""What a dry run promises: steps and tokens as the trainer makes them, parameters as the model has them."""

from dataclasses import replace

import pytest
from tests.distill import small

from antidistill.distill import Asking, Layout, Lora, Training, train
from antidistill.distill.conditions import parse_condition
from antidistill.distill.layout import encode_all
from antidistill.distill.plan import DEVICES, Counter, device_named, make_plan
from antidistill.errors import UnknownName

pytest.importorskip("trl", reason="needs pip install 'antidistill[train]'")
pytestmark = pytest.mark.models

TRAINING = Training(batch=8, device_batch=4, epochs=2, max_length=128, precision="float32")


def planned(conditions=("none",), training=TRAINING, asking=None, device="h100", devices=1, questions=10):
    traces = small.traces(30)
    materials = [(one, one.traces(traces, b"key" * 11)) for one in map(parse_condition, conditions)]
    counter = Counter("small", lambda text: len(small.tokenizer()(text).input_ids))
    return make_plan(
        "small",
        small.model().config,
        materials,
        questions,
        training,
        asking or Asking(max_new_tokens=10),
        Layout(),
        counter,
        DEVICES[device],
        devices,
    )


def test_steps_and_trainable_parameters_are_those_of_the_trainer():
    plan = planned()
    trained = train(small.model(), small.tokenizer(), small.traces(30), TRAINING, Layout())
    assert plan.steps[0].steps == trained.steps
    assert plan.parameters == plan.trainable == small.model().num_parameters()


def test_the_adapter_has_the_parameters_that_peft_gives_it(tmp_path):
    from antidistill.distill.trainer import make_trainer

    for lora in (Lora(rank=4), Lora(rank=3, maps="all-linear"), Lora(rank=2, maps=("q_proj",))):
        settings = replace(TRAINING, lora=lora)
        examples = encode_all(small.tokenizer(), Layout(), small.traces(2))
        trainer = make_trainer(small.model(), small.tokenizer(), examples, settings, tmp_path, keep=False)
        real = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
        assert planned(training=settings).trainable == real


def test_tokens_are_those_of_the_examples():
    """The end of the text apart, which the counter does not see; tokens are counted over the whole text at once."""
    examples = encode_all(small.tokenizer(), Layout(), small.traces(30))
    exact = sum(len(example.ids) - 1 for example in examples)
    assert planned().steps[0].tokens == pytest.approx(exact, rel=0.05)


def test_long_traces_are_counted_as_cut_off():
    step = planned(training=replace(TRAINING, max_length=20)).steps[0]
    assert step.truncated == 30
    assert step.tokens == 20 * 30


def test_conditions_that_learn_less_take_less():
    steps = {step.condition: step for step in planned(("none", "traceguard:k=5", "answer-only", "untrained")).steps}
    assert steps["none"].tokens > steps["traceguard:k=5"].tokens > steps["answer-only"].tokens > 0
    assert steps["untrained"].tokens == steps["untrained"].steps == 0
    assert steps["untrained"].hours > 0  # it is asked
    assert steps["answer-only"].removed_share == 1


def test_time_and_memory_scale_as_they_should():
    one, two = planned(), planned(devices=2)
    assert two.hours == pytest.approx(one.hours / 2)
    assert one.hours == pytest.approx(sum(step.hours for step in one.steps))
    long = planned(asking=Asking(max_new_tokens=10, force=True))
    assert long.hours > one.hours
    whole, adapter = planned(), planned(training=replace(TRAINING, lora=Lora(rank=1)))
    assert adapter.memory_gb["optimizer"] <= whole.memory_gb["optimizer"]
    saved = planned(training=replace(TRAINING, checkpointing=True))
    assert saved.memory_gb["activations"] <= whole.memory_gb["activations"]
    assert saved.hours > whole.hours


def test_this_machine_is_measured_and_unknown_ones_are_named():
    found = device_named("here")
    assert found.flops > 1e8
    assert found.bandwidth > 1e7
    with pytest.raises(UnknownName, match="h100"):
        device_named("h1000")


def test_a_plan_is_json():
    import json

    content = json.loads(json.dumps(planned().to_json()))
    assert content["device"]["name"] == "h100"
    assert content["steps"][0]["condition"] == "none"
