"""Numbers: equations, and whether each number was introduced before it is used."""

from __future__ import annotations

import re

import numpy as np

from antidistill.measure.features.summary import binned, share
from antidistill.measure.features.view import View, plain_number, plain_numbers

_EQUATION = re.compile(r"=\s*\$?-?\d|\d\s*=")
_RESULT = re.compile(r"(?:=|\bis|\bare|\bgives?|\bequals?|\bget)\s*(?:about|just|only|also)?\s*\$?(\d[\d,]*(?:\.\d+)?)")


def numbers(view: View) -> dict[str, float]:
    """Rates of numbers and equations, and of numbers that appear out of nowhere.

    A number is introduced by the prompt, by an earlier sentence, or as a result in its own sentence. Where sentences
    were removed, more numbers are used that nothing introduced.
    """
    equations = np.array(
        ["=" in sentence and bool(_EQUATION.search(sentence)) for sentence in view.sentences], dtype=bool
    )
    filled = np.array([bool(found) for found in view.numbers], dtype=bool)
    return {
        "per_sentence": sum(map(len, view.numbers)) / max(len(view.sentences), 1),
        "filled": share(filled),
        "equations": share(equations),
        **binned("equations", view.places, equations.astype(float), 5),
        "after_equation": share(equations[1:] & equations[:-1]),
        **_introductions(view),
    }


def _introductions(view: View) -> dict[str, float]:
    known = set(plain_numbers(view.trace.prompt))
    given = frozenset(known)
    strange = fresh = mentions = 0
    for sentence, found in zip(view.sentences, view.numbers, strict=True):
        new = [number for number in found if number not in known]
        results = {plain_number(number) for number in _RESULT.findall(sentence)} if new else frozenset()
        mentions += len(found)
        fresh += len(new)
        strange += sum(number not in results for number in new)
        known.update(found)
    used = known & {number for found in view.numbers for number in found}
    return {
        "fresh": fresh / max(mentions, 1),
        "strange": strange / max(mentions, 1),
        "strange_of_fresh": strange / max(fresh, 1),
        "kinds": len(used) / max(mentions, 1),
        "prompt_covered": len(given & used) / max(len(given), 1),
        "prompt_share": sum(n in given for found in view.numbers for n in found) / max(mentions, 1),
        "answer_there": float(bool(set(plain_numbers(view.trace.answer)[-1:]) & used)),
    }
