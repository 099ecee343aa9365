"""What `antidistill sample` loads beside the teacher: proxy, gradient, trained head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antidistill.errors import InputError, UnknownName, UsageError

if TYPE_CHECKING:
    from antidistill.sampling import Aids, Frame, Prompt, Sampler

_GRADIENT_OPTIONS = ("weight", "max_length")
_LEAST_COMMON = 0.9
_SHOWN = 3


@dataclass(frozen=True)
class Sources:
    """Where the aids come from.

    Attributes:
        out: the file of traces; what is made anew lies beside it.
        proxy: name of the proxy.
        holdout: clean traces that a gradient or a head is made from.
        gradient, head: files made before.
        fit: options of making them.
    """

    out: Path
    proxy: str | None
    holdout: Path | None
    gradient: Path | None
    head: Path | None
    fit: Mapping[str, Any]


def check_holdout(sampler: Sampler, sources: Sources, prompts: Sequence[Prompt]) -> None:
    """Checks that the holdout traces, where they are going to be used, answer other prompts than are sampled.

    A gradient or head fitted on the sampled prompts would look stronger on them than it is.

    Raises:
        InputError: some answer the same; the message counts and names them.
    """
    from antidistill.distill.overlap import overlapping
    from antidistill.distill.questions import Question
    from antidistill.formats import read

    made = [kind for kind in ("gradient", "head") if kind in sampler.aids]
    if sources.holdout is None or all(_known(getattr(sources, kind), sources.out, kind) for kind in made):
        return
    shared = overlapping(list(read(sources.holdout)), [Question(each.id, each.text, "") for each in prompts])
    if shared:
        names = ", ".join(each.id for each in shared[:_SHOWN]) + (" …" if len(shared) > _SHOWN else "")
        raise InputError(
            f"{sources.holdout} holds {len(shared)} of the {len(prompts)} prompts that are sampled ({names}): give --holdout "
            "clean traces of other prompts, or leave those prompts out."
        )


def load_aids(sampler: Sampler, teacher: Any, sources: Sources, frame: Frame, say: Callable[[str], None]) -> Aids:
    """The aids that the method needs; gradient and head are read, or made from the holdout traces and kept beside OUT.

    Raises:
        UsageError: the method needs something that was not named.
    """
    from antidistill.sampling import Aids

    trains = "head" in sampler.aids and not _known(sources.head, sources.out, "head")
    proxy = _proxy(sampler, teacher, sources.proxy) if "proxy" in sampler.aids or trains else None
    gradient = _gradient(sampler, teacher, proxy, sources, frame, say) if "gradient" in sampler.aids else None
    head = _head(sampler, teacher, proxy, sources, frame, say) if "head" in sampler.aids else None
    return Aids(proxy, gradient, head)


def _proxy(sampler: Sampler, teacher: Any, name: str | None) -> Any:
    from antidistill.measure.models import load_language_model

    if name is None:
        raise UsageError(f"{sampler.name} needs a proxy: name one with --proxy, of the teacher's tokenizer.")
    loaded = load_language_model(name)
    own, other = teacher.tokenizer.get_vocab(), loaded.tokenizer.get_vocab()
    common = own.keys() & other.keys()
    if len(common) < _LEAST_COMMON * min(len(own), len(other)) or any(own[token] != other[token] for token in common):
        raise UsageError(f"the proxy {name!r} has another tokenizer than the teacher: name a model of the same family.")
    return loaded.model


def _gradient(
    sampler: Sampler, teacher: Any, proxy: Any, sources: Sources, frame: Frame, say: Callable[[str], None]
) -> Any:
    from antidistill.sampling.proxies.gradient import Gradient, gradient

    known = _known(sources.gradient, sources.out, "gradient")
    if known:
        return Gradient.load(known)
    traces = _holdout(sampler, sources, "--gradient")
    for option in sources.fit:
        if option not in _GRADIENT_OPTIONS:
            raise UnknownName("option of the gradient", option, _GRADIENT_OPTIONS)
    made = gradient(proxy, teacher.tokenizer, traces, frame, **sources.fit, progress=say)
    made.save(_beside(sources.out, "gradient"))
    return made


def _head(
    sampler: Sampler, teacher: Any, proxy: Any, sources: Sources, frame: Frame, say: Callable[[str], None]
) -> Any:
    from antidistill.sampling.proxies.heads import Head, HeadTraining
    from antidistill.sampling.proxies.train_head import train_head

    known = _known(sources.head, sources.out, "head")
    if known:
        return Head.load(known)
    traces = _holdout(sampler, sources, "--head")
    for option in sources.fit:
        if option not in HeadTraining.__dataclass_fields__:
            raise UnknownName("option of the head's training", option, HeadTraining.__dataclass_fields__)
    made = train_head(teacher.model, teacher.tokenizer, traces, proxy, HeadTraining(**sources.fit), frame, say)
    made.save(_beside(sources.out, "head"))
    return made


def _holdout(sampler: Sampler, sources: Sources, option: str) -> list[Any]:
    from antidistill.formats import read

    if sources.holdout is None:
        raise UsageError(
            f"{sampler.name} needs clean holdout traces: give --holdout TRACES, or what was made of them with {option} FILE."
        )
    return list(read(sources.holdout))


def _known(given: Path | None, out: Path, kind: str) -> Path | None:
    """A file made before: the given one, or the one beside OUT."""
    beside = _beside(out, kind)
    return given or (beside if beside.exists() else None)


def _beside(out: Path, kind: str) -> Path:
    return out.with_name(f"{out.name}.{kind}.safetensors")
