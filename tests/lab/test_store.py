"""Finished pieces are found again, and only under the same specification."""

import pytest

from antidistill.errors import InputError, OutputError
from antidistill.lab.store import Store, code, digest


def test_a_value_is_made_once(tmp_path):
    said, made = [], []
    store = Store(tmp_path / "new" / "run", said.append)

    def make():
        made.append(1)
        return {"x": 1.5}

    assert store.value("cells", {"a": 1, "about": "this"}, make) == {"x": 1.5}
    assert Store(tmp_path / "new" / "run").value("cells", {"about": "this", "a": 1}, make) == {"x": 1.5}
    assert len(made) == 1
    assert said == ["cells: this"]
    store.value("cells", {"a": 2}, make)
    assert len(made) == 2


@pytest.mark.parametrize("content", ["", '{"spec": {}, "va', "[1]", "{}"])
def test_a_torn_piece_is_named(tmp_path, content):
    store = Store(tmp_path)
    store.value("cells", {"a": 1}, lambda: 3)
    (piece,) = (tmp_path / "cells").iterdir()
    piece.write_text(content)
    with pytest.raises(InputError, match=f"{piece.name} is torn.*delete it"):
        store.value("cells", {"a": 1}, lambda: 3)


def test_what_fails_leaves_nothing(tmp_path):
    store = Store(tmp_path)

    def fail(target=None):
        if target:
            (target / "half").write_text("x")
        raise RuntimeError("stop")

    for attempt in (lambda: store.value("cells", {}, fail), lambda: store.folder("models", {}, fail)):
        with pytest.raises(RuntimeError):
            attempt()
    assert store.value("cells", {}, lambda: 3) == 3
    folder = store.folder("models", {}, lambda target: (target / "whole").write_text("y"))
    assert sorted(path.name for path in folder.iterdir()) == ["spec.json", "whole"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        Store(tmp_path / "file" / "run")


def test_the_order_of_a_specification_does_not_matter_but_its_values_do():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


def test_code_depends_on_what_is_named():
    assert code("antidistill.lab.worlds") == code("antidistill.lab.worlds") != code("antidistill.lab.store")
