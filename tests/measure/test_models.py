"""Loading models: the cache, and what is said when one is not there."""

import importlib.util

import pytest

from antidistill.errors import InputError, MissingExtra
from antidistill.measure import detect, models
from antidistill.trace import Trace

installed = pytest.mark.skipif(bool(models.missing()), reason="needs the small models (make models)")


@pytest.fixture
def no_torch(monkeypatch):
    """An interpreter in which torch cannot be found."""
    find = importlib.util.find_spec
    monkeypatch.setattr(models, "find_spec", lambda name: None if name == "torch" else find(name))


def test_what_is_missing_is_named(no_torch):
    with pytest.raises(MissingExtra, match=r"perplexity needs torch.*pip install 'antidistill\[models\]'"):
        models.load_language_model()
    with pytest.raises(MissingExtra, match="semantic distance needs torch"):
        models.load_encoder()


def test_without_the_extra_the_numbers_are_null_with_a_reason(no_torch):
    traces = [Trace(str(row), f"p{row}", "Wait. " * row, "a") for row in range(5)]
    found = detect(traces, traces).to_json()
    assert found["paired"]["perplexity"] is found["paired"]["semantic"] is None
    assert found["missing"]["perplexity"] == "needs pip install antidistill[models] (not installed: torch)"
    with pytest.raises(MissingExtra, match="--models needs torch"):
        detect(traces, traces, models=True)


@pytest.mark.models
@installed
def test_the_dequantized_model_is_made_once_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = models.load_language_model()
    (folder,) = (tmp_path / "antidistill").iterdir()
    made = (folder / "model.safetensors").stat().st_mtime_ns
    second = models.load_language_model()
    assert (folder / "model.safetensors").stat().st_mtime_ns == made
    assert first.losses(["Wait."])[0].nats == pytest.approx(second.losses(["Wait."])[0].nats)


@pytest.mark.models
@installed
@pytest.mark.parametrize("load", [models.load_language_model, models.load_encoder])
def test_a_folder_without_a_model_is_refused(load, tmp_path):
    with pytest.raises(InputError, match=r"cannot be loaded .*; give '(smollm2|all-minilm).*a hub name or a folder"):
        load(str(tmp_path))
