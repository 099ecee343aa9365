r"""Where sentences start: the boundary rules, one character window at a time.

This is the definition of the splitter. `_scan.c` holds the same rules for speed; a test proves both equal.

A sentence ends after a stop (`. ! ? …`, closing quotes and brackets included) that white space follows, after a CJK stop, at a
blank line, and at a single newline that does not continue a wrapped line. Nothing inside `$…$`, `$$…$$`, `\(…\)`, `\[…\]`,
`\begin…\end`, inline code, fenced code or a table row is a boundary. Abbreviations, initials, list numbers, decimals, an
ellipsis before a small letter and a stop before an operator (`4! = 24`, `f(...) + 1`) do not end a sentence. White space belongs
to the sentence before it, so the spans tile the text.

Every rule looks at most `LOOKBACK` characters back and, fenced code aside, has a bounded view ahead. That is what makes a
stream agree with the whole text: a boundary is reported once no further text can change it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LOOKBACK = 200
"""How far back a rule may look, in characters."""
REGION = 2000
"""Longest protected region other than fenced code, in characters; a longer one counts as plain text.

Also the longest run of stops, of closing quotes or of white space that is looked at as one; a longer one is taken in parts.
"""

STOPS = ".!?…"
CJK_STOPS = "。！？"
OPERATORS = "=/×·÷≤≥≠≈^%,:;)]}"
"""What never starts a sentence on the line of the stop before it."""
SPACED_OPERATORS = "+-*<>–—"
"""The same, if white space follows; without it they may be a sign or emphasis."""
CLOSERS = "\"')]}*_”’»"
CJK_CLOSERS = "」』”’）》】*"
ABBREVIATIONS = frozenset("e.g i.e vs cf approx resp viz dr mr mrs prof jr sr dept incl excl w.r.t a.k.a".split())
"""Words whose full stop never ends a sentence."""
NUMBERED_ABBREVIATIONS = frozenset("fig figs eq eqs sec no nos ch vol p pp art thm lem def prop".split())
"""Words whose full stop does not end a sentence before a number."""
OPEN_ABBREVIATIONS = frozenset("etc al".split())
"""Words whose full stop ends a sentence only before a capital letter."""

SPECIAL = re.compile(rf"[{re.escape(STOPS + CJK_STOPS)}\n$`\\|]")
"""Where all before is decided, text without any of these decides nothing."""
_POSSIBLE_CUT = re.compile(rf"[{re.escape(STOPS + CJK_STOPS)}\n`|]")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_CURRENCY = re.compile(r"\$[0-9][0-9,]*(?:\.[0-9]+)?[.,;:?!)]?\s+[A-Za-z]{2}")
_ENVIRONMENT = re.compile(r"\\begin\{([A-Za-z*]{1,24})\}")
_OPEN_ENVIRONMENT = re.compile(r"\\begin\{[A-Za-z*]{0,24}")
_UNDECIDED = -1


class Scan(NamedTuple):
    """What is known of a text so far.

    Attributes:
        cuts: offsets at which a sentence starts, ascending, all behind the offset where the scan began.
        resume: where the next scan has to begin.
        safe: text before this offset belongs to the sentences that are known, whatever follows.
    """

    cuts: list[int]
    resume: int
    safe: int


def scan(text: str, position: int, final: bool) -> Scan:
    """Finds the sentence starts in `text[position:]`.

    Args:
        text: the text so far; it has to begin at the start of the whole text or `LOOKBACK + 1` characters before `position`.
        position: where to begin: 0, or `resume` of the scan before.
        final: True if the text ends here; then `resume` and `safe` are the length of the text.
    """
    cuts: list[int] = []
    while (special := SPECIAL.search(text, position)) is not None:
        here = special.start()
        cut, position = _decide(text, here, final)
        if position == _UNDECIDED:
            return Scan(cuts, here, cut)
        if cut:
            cuts.append(cut)
    return Scan(cuts, len(text), len(text))


def _decide(text: str, here: int, final: bool) -> tuple[int, int]:
    """The cut that the special character at `here` makes (0: none) and where to go on; undecided: (safe, -1)."""
    character = text[here]
    if character in STOPS:
        if text[here + 1 : here + 2].isalnum():  # a decimal, "e.g", a file name: no white space follows, so no cut
            return 0, here + 1
        return _after_stop(text, here, final)
    if character == "\n":
        return _after_newline(text, here, final)
    if character in CJK_STOPS:
        return _after_cjk_stop(text, here, final)
    return _after_region(text, here, final)


def _after_stop(text: str, here: int, final: bool) -> tuple[int, int]:
    end = _skip(text, here, STOPS)
    after = _skip(text, end, CLOSERS)
    return _cut_after(text, here, after, final)


def _cut_after(text: str, stop: int, after: int, final: bool) -> tuple[int, int]:
    """Decides on the stop that starts at `stop` (-1: inside a region) and ends, closers included, at `after`."""
    following = _skip_space(text, after)
    if not final and (_is_open(text, following) or _may_be_initial(text, stop, following)):
        return following, _UNDECIDED
    if following == after or following >= len(text):
        return 0, max(after, following)
    space = text[after:following]
    if space.count("\n") > 1:
        return following, following
    if _is_full_stop(text, stop) and _is_no_sentence_end(text, stop, following):
        return 0, following
    if "\n" not in space and _goes_on(text, stop, following):
        return 0, following
    return following, following


def _is_open(text: str, following: int) -> bool:
    """True if one more character may change what the character at `following` means, or if it has not arrived."""
    if following < len(text) - 1:
        return False
    return following >= len(text) or text[following].islower() or text[following] in SPACED_OPERATORS


def _is_full_stop(text: str, stop: int) -> bool:
    return stop >= 0 and text[stop] == "." and text[stop + 1] not in STOPS


def _goes_on(text: str, stop: int, following: int) -> bool:
    """True where the text at `following`, on the line of the stop, continues the sentence."""
    character = text[following]
    if character.islower():
        ellipsis = stop >= 0 and (text[stop] == "…" or text.startswith("..", stop))
        return ellipsis or _small_word(text, following)
    return character in OPERATORS or (character in SPACED_OPERATORS and text[following + 1 : following + 2].isspace())


def _is_no_sentence_end(text: str, full_stop: int, following: int) -> bool:
    """True where the full stop belongs to a list number, an abbreviation or an initial."""
    word_start = full_stop
    floor = max(0, full_stop - 12)
    while word_start > floor and (text[word_start - 1].isalnum() or text[word_start - 1] == "."):
        word_start -= 1
    word = text[word_start:full_stop]
    if len(word) == 1 and word.isupper():
        return _is_initial(text, word_start) or _initial_follows(text, following)
    if len(word) <= 2 and word.isdecimal():
        return _opens_line(text, word_start)
    word = word.lower() if word.isascii() else ""
    if word in ABBREVIATIONS:
        return True
    if word in NUMBERED_ABBREVIATIONS:
        return text[following] in "0123456789$\\("
    if word in OPEN_ABBREVIATIONS:
        return not text[following].isupper()
    return False


def _is_initial(text: str, letter: int) -> bool:
    """A capital letter with a stop is an initial (or a label) at the start of a line, and before or after another initial."""
    if _opens_line(text, letter):
        return True
    return letter >= 3 and text[letter - 1] == " " and text[letter - 2] == "." and text[letter - 3].isupper()


def _initial_follows(text: str, following: int) -> bool:
    return text[following].isupper() and text[following + 1 : following + 2] == "."


def _may_be_initial(text: str, stop: int, following: int) -> bool:
    """True if the capital letter that ends what has arrived may become the second of two initials ("J. K")."""
    if following != len(text) - 1 or not text[following].isupper():
        return False
    return stop > 0 and text[stop] == "." and text[stop - 1].isupper()


def _after_newline(text: str, here: int, final: bool) -> tuple[int, int]:
    following = _skip_space(text, here)
    if not final and _is_open(text, following):
        return following, _UNDECIDED
    if following >= len(text):
        return 0, following
    if text.count("\n", here, following) > 1:
        return following, following
    line = _line_start(text, here)
    if text[following] == "|" and line >= 0 and text[_skip_blanks(text, line)] == "|":
        return 0, following
    if _small_word(text, following) and "=" not in text[max(line, here - LOOKBACK, 0) : here]:
        return 0, following
    return following, following


def _after_cjk_stop(text: str, here: int, final: bool) -> tuple[int, int]:
    end = _skip(text, here, CJK_STOPS + STOPS)
    after = _skip_space(text, _skip(text, end, CJK_CLOSERS))
    if not final and _is_open(text, after):
        return after, _UNDECIDED
    return (after, after) if after < len(text) else (0, after)


def _after_region(text: str, here: int, final: bool) -> tuple[int, int]:
    """Skips a protected region; a stop right before its closing delimiter may end the sentence."""
    end, closer = _region(text, here, final)
    if end == _UNDECIDED:
        return _safe_in_open_region(text, here), _UNDECIDED
    if closer:
        inside = end - closer
        while inside > here and text[inside - 1].isspace():
            inside -= 1
        if text[inside - 1] in STOPS:
            return _cut_after(text, -1, end, final)
    return 0, end


def _safe_in_open_region(text: str, here: int) -> int:
    if _opens_fence(text, here) and text.find("\n", here) != -1:
        return len(text)
    possible = _POSSIBLE_CUT.search(text, here + 1)
    return possible.start() if possible else len(text)


def _region(text: str, here: int, final: bool) -> tuple[int, int]:
    """End of the region that opens at `here`, and the length of its closing math delimiter (0: code or plain text)."""
    character = text[here]
    if character == "`":
        return _code(text, here, final), 0
    if character == "$":
        return _dollar(text, here, final)
    if character == "\\":
        return _backslash(text, here, final)
    return _table_row(text, here, final), 0


def _code(text: str, here: int, final: bool) -> int:
    opened = _skip(text, here, "`")
    if opened == len(text) and not final:
        return _UNDECIDED
    ticks = text[here:opened]
    if _opens_fence(text, here):
        return _fence_end(text, opened, ticks, final)
    limit, cut_off = _line_limit(text, opened)
    close = text.find(ticks, opened, limit)
    while close != -1 and text[close + len(ticks) : close + len(ticks) + 1] == "`":
        close = text.find(ticks, _skip(text, close, "`"), limit)
    if close != -1:
        return close + len(ticks) if close + len(ticks) < len(text) or final else _UNDECIDED
    return _UNDECIDED if cut_off and not final else opened


def _opens_fence(text: str, here: int) -> bool:
    """True at three back quotes or more that open a line and are the last of that line."""
    if not (text.startswith("```", here) and _opens_line(text, here)):
        return False
    opened = _skip(text, here, "`")
    return text.find("`", opened, _line_limit(text, opened)[0]) == -1


def _fence_end(text: str, position: int, ticks: str, final: bool) -> int:
    """End of the closing fence: a line of at least as many back quotes; an unclosed fence runs to the end of the text."""
    while (newline := text.find("\n", position)) != -1:
        start = _skip(text, newline + 1, " \t>")
        stop = _skip(text, start, "`")
        if stop - start >= len(ticks):
            line_end = _skip_blanks(text, stop)
            if line_end == len(text):
                return stop if final else _UNDECIDED
            if text[line_end] in "\r\n":
                return stop
        position = newline + 1
    return len(text) if final else _UNDECIDED


def _dollar(text: str, here: int, final: bool) -> tuple[int, int]:
    if here + 1 >= len(text):
        return (here + 1, 0) if final else (_UNDECIDED, 0)
    if text[here + 1] == "$":
        return _delimited(text, here, "$$", _paragraph_limit(text, here + 2), final)
    if text[here + 1].isspace() or _CURRENCY.match(text, here):
        return here + 1, 0
    limit, cut_off = _line_limit(text, here)
    close = text.find("$", here + 2, limit)
    while close != -1 and (
        text[close - 1].isspace() or text[close - 1] == "\\" or text[close + 1 : close + 2].isdecimal()
    ):
        close = text.find("$", close + 1, limit)
    if close != -1:
        return (close + 1, 1) if close + 1 < len(text) or final else (_UNDECIDED, 0)
    return (_UNDECIDED, 0) if cut_off and not final else (here + 1, 0)


def _backslash(text: str, here: int, final: bool) -> tuple[int, int]:
    if here + 1 >= len(text):
        return (here + 1, 0) if final else (_UNDECIDED, 0)
    following = text[here + 1]
    if following in "([":
        closing = "\\)" if following == "(" else "\\]"
        return _delimited(text, here, closing, _paragraph_limit(text, here + 2), final)
    if following == "b":
        return _environment(text, here, final)
    return here + (2 if following in "$`\\|" else 1), 0


def _environment(text: str, here: int, final: bool) -> tuple[int, int]:
    begin = _ENVIRONMENT.match(text, here)
    if begin is None:
        return (_UNDECIDED, 0) if not final and _may_begin(text, here) else (here + 1, 0)
    limit = min(len(text), here + 2 * REGION)
    return _delimited(text, here, f"\\end{{{begin[1]}}}", (limit, limit < here + 2 * REGION), final)


def _may_begin(text: str, here: int) -> bool:
    r"""True if the end of the text cuts off what may become `\begin{name}`."""
    head = text[here:]
    return "\\begin{".startswith(head) or _OPEN_ENVIRONMENT.fullmatch(head) is not None


def _delimited(text: str, here: int, closing: str, limits: tuple[int, bool], final: bool) -> tuple[int, int]:
    """The region from `here` to `closing`; plain text (two characters of it) where it is not closed within the limit."""
    limit, cut_off = limits
    close = text.find(closing, here + 2, limit)
    if close != -1:
        return close + len(closing), len(closing)
    return (_UNDECIDED, 0) if cut_off and not final else (here + 2, 0)


def _table_row(text: str, here: int, final: bool) -> int:
    if not _opens_line(text, here):
        return here + 1
    limit, cut_off = _line_limit(text, here)
    if cut_off and not final:
        return _UNDECIDED
    last = limit - 1
    while text[last].isspace():
        last -= 1
    return limit if text[last] == "|" else here + 1  # |x| = 5 is no row


def _line_limit(text: str, here: int) -> tuple[int, bool]:
    """Where a region of one line has to end, and whether that is only the end of what has arrived."""
    end = min(len(text), here + REGION)
    newline = text.find("\n", here, end)
    return (newline, False) if newline != -1 else (end, end < here + REGION)


def _paragraph_limit(text: str, here: int) -> tuple[int, bool]:
    """Where a region of one paragraph has to end, and whether that is only the end of what has arrived."""
    end = min(len(text), here + REGION)
    blank = _BLANK_LINE.search(text, here, end)
    return (blank.start(), False) if blank else (end, end < here + REGION)


def _opens_line(text: str, here: int) -> bool:
    """True if only white space, list bullets, quote marks or emphasis stand before `here` on its line."""
    position = here
    floor = max(0, here - LOOKBACK)
    while position > floor and text[position - 1] in " \t>*_#-+":
        position -= 1
    return position == 0 or text[position - 1] == "\n"


def _line_start(text: str, here: int) -> int:
    """Start of the line of `here`; -1 if it is more than `LOOKBACK` characters back."""
    newline = text.rfind("\n", max(0, here - LOOKBACK), here)
    return newline + 1 if newline != -1 else (0 if here <= LOOKBACK else -1)


def _small_word(text: str, here: int) -> bool:
    """True if a word of at least two small letters starts at `here`: the sentence goes on."""
    return text[here].islower() and text[here + 1 : here + 2].islower()


def _skip(text: str, here: int, characters: str) -> int:
    end = min(len(text), here + REGION)
    while here < end and text[here] in characters:
        here += 1
    return here


def _skip_space(text: str, here: int) -> int:
    end = min(len(text), here + REGION)
    while here < end and text[here].isspace():
        here += 1
    return here


def _skip_blanks(text: str, here: int) -> int:
    return _skip(text, here, " \t")
