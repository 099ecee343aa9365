"""vLLM's logits processors for white-box samplers, driven as both of its model runners drive them.

vLLM is large and no dependency: docs/plugins.md says how to run this file in an environment that has it. Its engine needs a GPU and
does not run here: batches are made by hand of its classes, buffers are stand-ins.
"""

import hashlib
import json
from types import SimpleNamespace

import pytest
from tests.sampling.tiny import model, tokenizer
from tests.serve.plugins.test_live import METHODS, SETTINGS, aids
from tests.serve.plugins.test_live import engine as reference

from antidistill.errors import UsageError
from antidistill.sampling import make
from antidistill.sampling.decode.draws import Draws, draw
from antidistill.serve.plugins.live import LiveSampler

pytest.importorskip("torch")
pytest.importorskip("vllm", reason="needs vLLM in this environment (docs/plugins.md)")

import numpy as np
import torch
from vllm import SamplingParams
from vllm.v1.sample import logits_processor as v1
from vllm.v1.worker.gpu.sample.logits_processor import LogitsContext, LogitsProcRequestState, loader

from antidistill.serve.plugins import vllm_samplers as plugin

PROMPTS = [tokenizer()(text).input_ids for text in ("two and three <think>", "half of ten <think>\n", "wait <think>")]
KEYS = [hashlib.sha256(b"prompt tokens\0" + ",".join(map(str, ids)).encode()).digest() for ids in PROMPTS]
PARAMS = SamplingParams(temperature=SETTINGS.temperature)
CPU = torch.device("cpu")
LONGEST = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Teacher, proxy and gradient as an operator has them on disk."""
    own, helpers = tmp_path_factory.mktemp("models"), aids()
    for name, made in (("teacher", model()), ("proxy", helpers.proxy)):
        made.save_pretrained(own / name)
        tokenizer().save_pretrained(own / name)
    helpers.gradient.save(own / "ads.gradient.safetensors")
    (own / "key").write_bytes(SETTINGS.key)
    (own / "key").chmod(0o600)
    return own


@pytest.fixture
def config(folder, monkeypatch):
    """What vLLM hands to a processor, of the parts that ours and its loader of tokenizers look at."""

    def use(name):
        plan = {"method": name, "options": METHODS[name], "key_file": str(folder / "key"), "reasoning_tokens": 24}
        plan |= {"proxy": str(folder / "proxy"), "gradient": str(folder / "ads.gradient.safetensors")}
        (folder / "sampler.yaml").write_text(json.dumps(plan))
        monkeypatch.setenv(plugin.VARIABLE, str(folder / "sampler.yaml"))
        plugin._sampler.cache_clear()
        served = SimpleNamespace(
            model=str(folder / "teacher"),
            tokenizer=str(folder / "teacher"),
            skip_tokenizer_init=False,
            runner_type="generate",
            tokenizer_mode="auto",
            tokenizer_revision=None,
            trust_remote_code=False,
            try_get_generation_config=lambda: {"eos_token_id": 0},
        )
        return SimpleNamespace(model_config=served, speculative_config=None)

    return use


def logits_of(ids, tokens):
    with torch.no_grad():
        return model()(torch.tensor([[*ids, *tokens]])).logits[0, -1].float()


def drawn(logits, number, tokens):
    return draw(logits[None] / SETTINGS.temperature, [Draws(SETTINGS.key, KEYS[number]).uniform(len(tokens))])[0]


def expected(name):
    live = LiveSampler(make(name, **METHODS[name]), tokenizer(), SETTINGS, aids())
    return reference(live, PROMPTS, KEYS, SETTINGS)


def run_v1(processor):
    """Three requests; each joins a step after the last. When the first has ended, the last one moves into its row."""
    outputs = [[], [], []]
    rows = []
    for step in range(LONGEST + 3):
        removed, added, moved = [], [], []
        if rows and len(outputs[rows[0]]) == LONGEST:
            removed = [0]
            if len(rows) > 1:
                moved = [(len(rows) - 1, 0, v1.MoveDirectionality.UNIDIRECTIONAL)]
                rows[0] = rows[-1]
            rows.pop()
        if step < 3:
            rows.append(step)
            added = [(len(rows) - 1, PARAMS, PROMPTS[step], outputs[step])]
        changed = v1.BatchUpdate(len(rows), removed, added, moved) if removed or added or moved else None
        processor.update_state(changed)
        if not rows:
            break
        logits = processor.apply(torch.stack([logits_of(PROMPTS[n], outputs[n]) for n in rows]))
        for row, number in enumerate(rows):
            outputs[number].append(drawn(logits[row], number, outputs[number]))
    return [tokens[:LONGEST] for tokens in outputs]


@pytest.mark.parametrize("name", METHODS)
def test_runner_v1(config, name):
    processor = plugin.RunnerV1(config(name), CPU, False)
    assert not processor.is_argmax_invariant()
    assert run_v1(processor) == expected(name)


class Slots:
    """The buffers of runner V2, for three slots; vLLM's own need memory that a GPU sees."""

    def __init__(self):
        self.ids = SimpleNamespace(gpu=torch.zeros((3, 200), dtype=torch.int32))
        self.prompts = SimpleNamespace(np=np.zeros(3, dtype=np.int32))
        self.state = LogitsProcRequestState(CPU, 3, len(tokenizer()), self.ids, self.prompts, self.prompts, None)

    def write(self, slot, prompt, tokens):
        self.prompts.np[slot] = len(prompt)
        self.ids.gpu[slot, : len(prompt) + len(tokens)] = torch.tensor([*prompt, *tokens], dtype=torch.int32)


def context(slots, lengths):
    index = torch.tensor(slots)
    none = torch.zeros(len(slots), dtype=torch.long)
    return LogitsContext(index, index, np.array(slots), none, none, torch.tensor(lengths) - 1, np.array(lengths))


def run_v2(processor, slots):
    """Three requests; rows change their order in every step, and a request that ends gives its slot to the next one."""
    outputs, place, waiting = [[], [], []], {}, [0, 1, 2]
    for step in range(3 * LONGEST):
        for number in [n for n in place if len(outputs[n]) == LONGEST]:
            del place[number]
        if waiting and len(place) < 2:
            number = waiting.pop(0)
            place[number] = next(slot for slot in (1, 2) if slot not in place.values())
            processor.add_request(place[number], PARAMS)
            slots.ids.gpu[place[number]] = 0
        if not place:
            break
        for number, slot in place.items():
            slots.write(slot, PROMPTS[number], outputs[number])
        processor.apply_staged_writes()
        order = sorted(place, reverse=step % 2 == 0)
        lengths = [len(PROMPTS[n]) + len(outputs[n]) for n in order]
        rows = torch.stack([logits_of(PROMPTS[n], outputs[n]) for n in order])
        logits = processor.apply(rows, context([place[n] for n in order], lengths))
        for row, number in enumerate(order):
            outputs[number].append(drawn(logits[row], number, outputs[number]))
    return outputs


@pytest.mark.parametrize("name", METHODS)
def test_runner_v2(config, name):
    slots = Slots()
    processor = plugin.RunnerV2(config(name), slots.state)
    assert run_v2(processor, slots) == expected(name)


def test_a_prompt_that_comes_in_parts_is_left_alone(config):
    slots = Slots()
    processor = plugin.RunnerV2(config("temperature"), slots.state)
    processor.add_request(1, PARAMS)
    slots.write(1, PROMPTS[0], [])
    logits = torch.randn(1, len(tokenizer()))
    assert torch.equal(processor.apply(logits.clone(), context([1], [len(PROMPTS[0]) - 2])), logits)
    assert not torch.equal(processor.apply(logits.clone(), context([1], [len(PROMPTS[0])])), logits)


def test_speculative_decoding_is_refused(config):
    own = config("temperature")
    own.speculative_config = object()
    with pytest.raises(ValueError, match="speculative"):
        plugin.RunnerV2(own, Slots().state)


def test_vllm_loads_each_class_for_its_runner_only():
    name = "antidistill.serve.plugins.vllm_samplers:Runner"
    assert loader._load_v2_logitsprocs_by_fqcns([name + "V2"]) == [plugin.RunnerV2]
    assert v1._load_logitsprocs_by_fqcns([name + "V1"]) == [plugin.RunnerV1]
    with pytest.raises(ValueError):
        loader._load_v2_logitsprocs_by_fqcns([name + "V1"])
    with pytest.raises(ValueError):
        v1._load_logitsprocs_by_fqcns([name + "V2"])


@pytest.mark.parametrize("runner", [plugin.RunnerV1, plugin.RunnerV2])
def test_a_greedy_request_is_refused_where_the_method_needs_chance(config, runner):
    config("ads")
    runner.validate_params(PARAMS)
    with pytest.raises(ValueError, match="temperature"):
        runner.validate_params(SamplingParams(temperature=0))
    config("poe")
    runner.validate_params(SamplingParams(temperature=0))


def test_without_a_file_nothing_starts(monkeypatch):
    monkeypatch.delenv(plugin.VARIABLE, raising=False)
    with pytest.raises(UsageError, match=plugin.VARIABLE):
        plugin.live_sampler(SimpleNamespace(model_config=None))
