"""Where finished work lies: every piece under the hash of everything that it depends on, written whole or not at all."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from antidistill.errors import InputError, OutputError


class Store:
    """A folder of finished pieces.

    Args:
        root: made if it is missing.
        say: called with a few words when a piece is made.

    Raises:
        OutputError: the folder cannot be made.
    """

    def __init__(self, root: Path, say: Callable[[str], None] = lambda step: None) -> None:
        self.root, self.say = root, say
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"the folder {root} cannot be made ({error.strerror}): choose another place.") from error

    def value(self, kind: str, spec: Mapping[str, Any], make: Callable[[], Any]) -> Any:
        """The JSON value of a piece; made and kept if it is not there.

        Raises:
            InputError: the file of the piece is there and is not what was written.
        """
        path = self.root / kind / f"{digest(spec)}.json"
        if path.exists():
            return _read(path)
        self.say(f"{kind}: {spec.get('about', '')}")
        content = orjson.dumps({"spec": spec, "value": make()}, option=orjson.OPT_INDENT_2)
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(path)
        return orjson.loads(content)["value"]

    def folder(self, kind: str, spec: Mapping[str, Any], make: Callable[[Path], None]) -> Path:
        """The folder of a piece; `make` fills an empty one if it is not there."""
        path = self.root / kind / digest(spec)
        if not path.is_dir():
            self.say(f"{kind}: {spec.get('about', '')}")
            path.parent.mkdir(exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=path.parent, prefix="."))
            make(draft)
            (draft / "spec.json").write_bytes(orjson.dumps(spec, option=orjson.OPT_INDENT_2))
            try:
                draft.rename(path)
            except OSError:  # another worker was faster
                shutil.rmtree(draft)
        return path


def _read(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())["value"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{path} is torn or was changed ({error}): delete it, and it is made again.") from error


def digest(spec: Mapping[str, Any]) -> str:
    """The name of a piece: 20 hexadecimal digits of the SHA-256 of its specification."""
    return hashlib.sha256(orjson.dumps(spec, option=orjson.OPT_SORT_KEYS)).hexdigest()[:20]


@functools.cache
def code(*packages: str) -> str:
    """SHA-256 (16 digits) of all Python sources and data of the named packages or modules: work of other code is made anew."""
    found = hashlib.sha256()
    for package in packages:
        for path in _sources(package):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _sources(package: str) -> Sequence[Path]:
    found = find_spec(package)
    assert found is not None, f"{package} is a part of this project"
    if not found.submodule_search_locations:
        return [Path(str(found.origin))]
    root = Path(found.submodule_search_locations[0])
    return sorted(path for path in root.rglob("*") if path.suffix in {".py", ".json", ".npz"})
