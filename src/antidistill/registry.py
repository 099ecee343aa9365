"""Names to plug-ins: one lazy table per kind, extended by other packages through entry points.

A built-in is a "module:attribute" string, imported on first use. A third party declares an entry point in the group
`antidistill.<kind>` (for instance `antidistill.defenses`) and needs no line here.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Any

from antidistill.errors import MissingOption, UnknownName

BUILT_IN: dict[str, dict[str, str]] = {
    "defenses": {
        "none": "antidistill.defenses.unguarded:Unguarded",
        "traceguard": "antidistill.defenses.traceguard:TraceGuard",
        "marker-words": "antidistill.defenses.marker_words:MarkerWords",
        "random-sentences": "antidistill.defenses.random_sentences:RandomSentences",
        "branches": "antidistill.defenses.branches:Branches",
        "exchange": "antidistill.defenses.exchange:Exchange",
        "steps": "antidistill.defenses.steps:Steps",
        "anchors": "antidistill.anchors.defense:Anchors",
    },
    "detectors": {
        "length": "antidistill.measure.detectors.simple:LENGTH",
        "marker-rate": "antidistill.measure.detectors.simple:MARKER_RATE",
        "marker-gaps": "antidistill.measure.detectors.simple:MARKER_GAPS",
        "repetition": "antidistill.measure.detectors.simple:REPETITION",
        "tfidf": "antidistill.measure.detectors.ngrams:WORDS",
        "char-ngrams": "antidistill.measure.detectors.ngrams:CHARACTERS",
        "seam-words": "antidistill.measure.detectors.ngrams:SEAMS",
        "features": "antidistill.measure.detectors.boosting:FEATURES",
        "embeddings": "antidistill.measure.detectors.models:EMBEDDINGS",
        "perplexity": "antidistill.measure.detectors.models:PERPLEXITY",
        "seam-surprise": "antidistill.measure.detectors.models:SEAM_SURPRISE",
        "boosting": "antidistill.measure.detectors.boosting:BOOSTING",
    },
    "samplers": {
        "none": "antidistill.sampling.methods.none:Clean",
        "temperature": "antidistill.sampling.methods.temperature:Temperature",
        "gaussian": "antidistill.sampling.methods.gaussian:Gaussian",
        "ads": "antidistill.sampling.methods.ads:ADS",
        "ads-permuted": "antidistill.sampling.methods.ads_permuted:PermutedADS",
        "poe": "antidistill.sampling.methods.poe:ProductOfExperts",
        "doge": "antidistill.sampling.methods.doge:DOGe",
    },
    "scorers": {
        "text": "antidistill.anchors.text_score.scorer:TextScore",
        "receiver-heads": "antidistill.anchors.receiver_heads:ReceiverHeads",
        "suppression": "antidistill.anchors.suppression:Suppression",
        "resampling": "antidistill.anchors.resampling:Resampling",
        "position": "antidistill.anchors.simple:Position",
        "length": "antidistill.anchors.simple:Length",
        "markers": "antidistill.anchors.simple:MarkerRule",
    },
    "taggers": {
        "regex": "antidistill.anchors.functions.regex:RegexTagger",
        "trained": "antidistill.anchors.functions.trained:TrainedTagger",
        "states": "antidistill.anchors.functions.states:StatesTagger",
        "endpoint": "antidistill.anchors.functions.endpoint:EndpointTagger",
    },
    "graders": {
        "math": "antidistill.distill.grading:math",
        "letter": "antidistill.distill.grading:letter",
        "exact": "antidistill.distill.grading:exact",
    },
}


@functools.cache
def _entry_points(kind: str) -> dict[str, metadata.EntryPoint]:
    return {point.name: point for point in metadata.entry_points(group=f"antidistill.{kind}")}


def names(kind: str) -> list[str]:
    """All known names of a kind: built-in ones first, then those of other packages."""
    built_in = BUILT_IN[kind]
    return [*built_in, *sorted(name for name in _entry_points(kind) if name not in built_in)]


def load(kind: str, name: str) -> Any:
    """The object registered as `name`.

    Raises:
        UnknownName: no built-in and no entry point has this name.
    """
    target = BUILT_IN[kind].get(name)
    if target is not None:
        module, attribute = target.split(":")
        return getattr(import_module(module), attribute)
    point = _entry_points(kind).get(name)
    if point is None:
        raise UnknownName(kind.removesuffix("s").replace("-", " "), name, names(kind))
    return point.load()


def make(kind: str, name: str, **options: Any) -> Any:
    """The object `name` of a kind whose entries are dataclasses, with its options.

    Raises:
        UnknownName: no such name, or no such option of it.
        MissingOption: an option without a default is not given.
        BadOption: an option out of its range.
    """
    made = load(kind, name)
    check_options(name, options, made)
    needed = [field.name for field in dataclasses.fields(made) if _has_to_be_given(field)]
    if missing := [option for option in needed if option not in options]:
        raise MissingOption(name, missing)
    return made(**options)


def _has_to_be_given(field: dataclasses.Field[Any]) -> bool:
    return field.init and field.default is field.default_factory is dataclasses.MISSING


def check_options(name: str, options: Mapping[str, Any], entry: type) -> None:
    """Raises UnknownName if one of the options is none of `entry`, which is registered as `name`."""
    known = options_of(entry)
    for option in options:
        if option not in known:
            raise UnknownName(f"option of {name}", option, known)


def options_of(entry: type) -> dict[str, Any]:
    """Names and defaults of the options of a dataclass; the secret `key` is none, and an option that has to be given has None."""
    return {
        field.name: None if field.default is dataclasses.MISSING else field.default
        for field in dataclasses.fields(entry)
        if field.init and field.name != "key"
    }
