"""Markers: openings such as Wait, Hmm or Alternatively that announce a new branch of the reasoning."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

import orjson

from antidistill.errors import BadOption, InputError

OPENERS = " \t\r\n>*_#\"'“‘「『(（[-+•–—"
"""Characters that may stand before a marker: white space, quote marks, brackets, bullets, emphasis."""
UNDECIDED = -1
"""The text so far may still become a marker opening."""

_SEPARATORS = " \t\r\n,.…!，、"
_MOST_LEADS = 2
_FOLD = str.maketrans(ascii_uppercase + "\n", ascii_lowercase + " ")


@dataclass(frozen=True, slots=True)
class Markers:
    """The words that make a sentence a marker sentence.

    Attributes:
        words: the markers, in small letters; a space stands for one white-space character; a word that ends in a doubled
            letter may be drawn out ("hmm" covers "Hmmmm").
        leads: words that may stand before a marker ("But wait", "Oh, wait").
    """

    words: tuple[str, ...]
    leads: tuple[str, ...] = ()
    _words_by_letter: dict[str, list[str]] = field(init=False, repr=False, compare=False)
    _leads_by_letter: dict[str, list[str]] = field(init=False, repr=False, compare=False)
    _reach: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_words_by_letter", _by_letter(self.words))
        object.__setattr__(self, "_leads_by_letter", _by_letter(self.leads))
        object.__setattr__(self, "_reach", max(map(len, self.words + self.leads), default=0) + 12)

    def opening(self, text: str, start: int = 0, final: bool = True) -> int:
        """End of the opening marker of the sentence that starts at `start`; 0 if it does not open with a marker.

        Args:
            text: the text, from which the sentence may be cut off at the end.
            start: where the sentence starts.
            final: False if the sentence may go on after the text; then `UNDECIDED` is a possible answer.
        """
        here = skip_openers(text, start)
        for _ in range(_MOST_LEADS + 1):
            if here >= len(text):
                return 0 if final else UNDECIDED
            head = text[here : here + self._reach].translate(_FOLD)
            cut_off = not final and here + self._reach > len(text)
            end = _longest(self._words_by_letter, head, cut_off)
            if end:
                return end if end == UNDECIDED else here + end
            lead = _longest(self._leads_by_letter, head, cut_off)
            if lead == UNDECIDED:
                return UNDECIDED
            if not lead:
                return 0
            here = _skip(text, here + lead, _SEPARATORS)
        return 0


def _by_letter(words: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        found.setdefault(word[:1], []).append(word)
    return found


def _longest(words: dict[str, list[str]], head: str, cut_off: bool) -> int:
    """Length of the longest of `words` that `head` opens with as a whole word (drawn-out letters included), or 0."""
    best = 0
    for word in words.get(head[0], ()):
        if head.startswith(word):
            end = _drawn_out(word, head)
            if end == len(head) and cut_off and word.isascii():
                return UNDECIDED
            if not word.isascii() or not head[end : end + 1].isalnum():
                best = max(best, end)
        elif cut_off and word.startswith(head):
            return UNDECIDED
    return best


def _drawn_out(word: str, head: str) -> int:
    end = len(word)
    if word[-1:] == word[-2:-1]:
        while head[end : end + 1] == word[-1]:
            end += 1
    return end


def skip_openers(text: str, start: int) -> int:
    """Offset of the first word of the sentence at `start`: behind bullets, quote marks and a list number."""
    here = _skip(text, start, OPENERS)
    digits = _skip(text, here, "0123456789")
    if not 0 < digits - here <= 2 or text[digits : digits + 1] not in {".", ")", ""}:
        return here
    if digits + 1 >= len(text):
        return len(text)
    return _skip(text, digits + 1, OPENERS) if text[digits + 1].isspace() else here


def _skip(text: str, here: int, characters: str) -> int:
    while here < len(text) and text[here] in characters:
        here += 1
    return here


@functools.cache
def default() -> Markers:
    """The markers that come with the package (`markers.json` names their source)."""
    data = orjson.loads(files("antidistill.text").joinpath("markers.json").read_bytes())
    return Markers(tuple(data["words"]), tuple(data["leads"]))


DEFAULT = default()


def resolve(markers: str | Iterable[str] | Mapping[str, Iterable[str]] | Markers) -> Markers:
    """Markers from an option: "default", a file (JSON with `words` and `leads`, or one word a line), or the words.

    Raises:
        InputError: the file cannot be read.
        BadOption: no words, or something that is not a word.
    """
    if isinstance(markers, Markers):
        return markers
    if isinstance(markers, str):
        return DEFAULT if markers == "default" else _from_file(Path(markers))
    if isinstance(markers, Mapping):
        return _checked(markers.get("words", ()), markers.get("leads", ()))
    return _checked(markers, DEFAULT.leads)


def _from_file(path: Path) -> Markers:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"markers {str(path)!r} is no file of words that can be read ({error}); give 'default', a UTF-8 file with a word "
            'on each line, or a list of words (on the command line as JSON: --set \'markers=["Wait", "Hmm"]\').'
        ) from error
    if content.lstrip().startswith("{"):
        try:
            data = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise InputError(f'marker file {str(path)!r} is not JSON ({error}); write {{"words": […]}}.') from error
        return _checked(data.get("words", ()), data.get("leads", DEFAULT.leads))
    return _checked([line for line in content.splitlines() if line.strip()], DEFAULT.leads)


def _checked(words: Iterable[str], leads: Iterable[str]) -> Markers:
    marker_words = tuple(dict.fromkeys(_folded(word) for word in words))
    if not marker_words:
        raise BadOption("markers", [], "at least one word")
    return Markers(marker_words, tuple(dict.fromkeys(_folded(lead) for lead in leads)))


def _folded(word: object) -> str:
    if not isinstance(word, str) or not word.strip():
        raise BadOption("markers", word, "words (strings that are not empty)")
    return " ".join(word.split()).translate(_FOLD)
