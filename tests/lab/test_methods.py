"""What the traces of a method depend on."""

from dataclasses import dataclass

import pytest

from antidistill import read, registry
from antidistill.errors import BadOption, UnknownName
from antidistill.lab.methods import ANSWER, home, is_text, unmixed
from antidistill.lab.school import School, written
from antidistill.lab.sizes import QUICK
from antidistill.lab.store import Store
from antidistill.lab.worlds import make


def test_a_defense_belongs_to_the_package_of_its_scorer():
    assert home("anchors") == ("antidistill.anchors",)
    assert home("branches") == ("antidistill.defenses",)
    assert home("ads") == home("none") == home(ANSWER) == ()


@dataclass
class Foreign:
    """A defense of another package."""


def test_a_plug_in_belongs_to_its_whole_package(monkeypatch):
    Foreign.__module__ = "theirs.inner.defense"
    monkeypatch.setattr("antidistill.lab.methods.is_text", lambda method: True)
    monkeypatch.setattr(registry, "load", lambda kind, name: Foreign)
    assert home("foreign") == ("theirs",)


@pytest.mark.parametrize(("method", "renewed"), [("anchors", True), ("branches", False), ("none", False)])
def test_traces_are_made_anew_when_the_data_of_a_scorer_change(tmp_path, monkeypatch, method, renewed):
    pytest.importorskip("torch", reason="needs torch (make models)")
    pytest.importorskip("transformers", reason="needs transformers (make models)")
    school = School(make("decoration"), QUICK, 0, 0.2, 0.05, Store(tmp_path))
    made = []

    def write(self, target, method):
        made.append(method)

    monkeypatch.setattr(School, "_write_traces", write)
    school.traces(method)
    school.traces(method)
    assert made == [method]

    def changed(*packages):
        return "other weights" if "antidistill.anchors" in packages else real(*packages)

    from antidistill.lab import school as module

    real = module.code
    monkeypatch.setattr(module, "code", changed)
    school.traces(method)
    assert len(made) == 1 + renewed


def test_a_defense_is_mixed_in_at_some_traces(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs torch (make models)")
    pytest.importorskip("transformers", reason="needs transformers (make models)")
    assert unmixed("traceguard@0.25") == ("traceguard", 0.25)
    assert is_text("traceguard@0.25")
    assert home("anchors@0.5") == ("antidistill.anchors",)
    for wrong, told in (("traceguard@0", "above 0"), ("traceguard@x", "above 0"), ("ads@0.5", "samplers cannot")):
        with pytest.raises(BadOption, match=told):
            unmixed(wrong)
    with pytest.raises(UnknownName):
        is_text("traceguards@0.5")
    school = School(make("corrections"), QUICK, 0, 0.2, 0.05, Store(tmp_path))
    clean = written(school.world, school.problems("traces"), 0)
    monkeypatch.setattr(School, "_sampled", lambda self, sampler, use: clean)
    whole, some = (list(read(school.traces(name) / "traces.jsonl")) for name in ("marker-words", "marker-words@0.25"))
    changed = [ours.reasoning != theirs.reasoning for ours, theirs in zip(clean, some, strict=True)]
    assert 0.15 < sum(changed) / len(clean) < 0.35
    assert all(
        mixed.reasoning == (guarded.reasoning if differs else original.reasoning)
        for mixed, guarded, original, differs in zip(some, whole, clean, changed, strict=True)
    )
