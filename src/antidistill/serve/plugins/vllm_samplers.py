"""White-box samplers inside vLLM, for both of its model runners.

    vllm serve … --logits-processors antidistill.serve.plugins.vllm_samplers:RunnerV2     # or RunnerV1

ANTIDISTILL_SAMPLER names the operator's file (`live.Plan`); a request cannot switch the method off. Runner V1 is the one with
VLLM_USE_V2_MODEL_RUNNER=0; either refuses the other's class when it starts. The answer is drawn by the clean teacher, but it
follows another reasoning, so it is not the one that would have come without the guard.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

from vllm.v1.sample.logits_processor import AdapterLogitsProcessor
from vllm.v1.worker.gpu.sample.logits_processor import LogitsContext, LogitsProcessor, LogitsProcRequestState

from antidistill.errors import AntidistillError, UsageError
from antidistill.sampling import Sampler
from antidistill.serve.plugins.live import LiveRequest, LiveSampler, Plan, check_temperature

VARIABLE = "ANTIDISTILL_SAMPLER"


def _plan() -> Plan:
    path = os.environ.get(VARIABLE)
    if not path:
        raise UsageError(f"no sampler is named: let {VARIABLE} name a YAML file with a method.")
    return Plan.read(path)


@cache
def _sampler(path: str | None) -> Sampler:
    return _plan().sampler()


def _validate(sampling_params: Any) -> None:
    """Refuses a request whose temperature the method cannot work with.

    Raises:
        ValueError: vLLM tells the client (400).
    """
    try:
        check_temperature(_sampler(os.environ.get(VARIABLE)), sampling_params.temperature)
    except AntidistillError as error:
        raise ValueError(str(error)) from error


def live_sampler(vllm_config: Any) -> LiveSampler:
    """The operator's sampler for the model that an engine serves.

    Raises:
        AntidistillError: the file is not valid, or what the method needs is not there.
    """
    from vllm.tokenizers import cached_tokenizer_from_config

    plan, model = _plan(), vllm_config.model_config
    sampler = plan.sampler()
    tokenizer = cached_tokenizer_from_config(model)
    own = model.try_get_generation_config().get("eos_token_id") or []
    stops = dict.fromkeys([tokenizer.eos_token_id, *([own] if isinstance(own, int) else own)])
    return LiveSampler(sampler, tokenizer, plan.settings(), plan.aids(sampler), list(stops))


class RequestProcessor:
    """A method for one request, as the callable that vLLM has had since its first runner: tokens and one row of logits in.

    Args:
        live: the method.
        temperature: of the request.
    """

    def __init__(self, live: LiveSampler, temperature: float) -> None:
        self._live, self._temperature = live, temperature
        self._request: LiveRequest | None = None

    def __call__(self, prompt_ids: Sequence[int], output_ids: Sequence[int], logits: Any) -> Any:
        """The changed logits, (vocabulary,); `output_ids` are all tokens so far, also after a preemption."""
        if self._request is None:
            self._request = self._live.request(prompt_ids, self._temperature)
        self._request.add(output_ids[self._request.written :])
        return self._request.changed(logits)


class RunnerV1(AdapterLogitsProcessor):  # type: ignore[misc]
    """The sampler for model runner V1."""

    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool) -> None:
        super().__init__(vllm_config, device, is_pin_memory)
        self._live = live_sampler(vllm_config)

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """As `_validate`."""
        _validate(sampling_params)

    def is_argmax_invariant(self) -> bool:
        """No: it changes greedy tokens too."""
        return False

    def new_req_logits_processor(self, params: Any) -> RequestProcessor:
        """The method for a request that joins the batch."""
        return RequestProcessor(self._live, params.temperature)


class RunnerV2(LogitsProcessor):  # type: ignore[misc]
    """The sampler for model runner V2.

    It reads the new token of each request from the device, so every step waits for the one before.

    Raises:
        ValueError: speculative decoding is on, where rows are drafts and not requests.
    """

    def __init__(self, vllm_config: Any, req_states: LogitsProcRequestState) -> None:
        if vllm_config.speculative_config:
            raise ValueError("white-box samplers do not work with speculative decoding: switch it off.")
        self._live, self._states = live_sampler(vllm_config), req_states
        self._temperatures: dict[int, float] = {}
        self._requests: dict[int, LiveRequest] = {}

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """As `_validate`."""
        _validate(sampling_params)

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:
        """A request takes a slot; what the slot held before is forgotten."""
        self._temperatures[req_idx] = sampling_params.temperature
        self._requests.pop(req_idx, None)
        return True

    def apply(self, logits: Any, ctx: LogitsContext) -> Any:
        """Changes the rows of requests whose prompt has been read."""
        for row, (slot, length) in enumerate(zip(ctx.idx_mapping_np, ctx.seq_lens_upper_bound_np, strict=True)):
            prompt = int(self._states.prompt_len.np[slot])
            if length < prompt:
                continue  # of a prompt that comes in parts; what is drawn here is thrown away
            request = self._requests.get(int(slot))
            tokens = self._states.all_token_ids.gpu[int(slot)]
            if request is None:
                request = self._live.request(tokens[:prompt].tolist(), self._temperatures[int(slot)])
                self._requests[int(slot)] = request
            request.add(tokens[prompt + request.written : int(length)].tolist())
            logits[row] = request.changed(logits[row])
        return logits
