"""What the traces of a method depend on."""

from dataclasses import dataclass

import pytest

from antidistill import registry
from antidistill.lab.methods import ANSWER, home
from antidistill.lab.school import School
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
