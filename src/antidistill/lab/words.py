"""The lab's tokenizer: words, digits and marks of the worlds, each one token; and where prompt, reasoning and answer stand.

Decoding and encoding undo each other: any sequence of tokens has exactly one text, and that text has exactly those tokens. So
what a sampler writes is what a student reads, even where a defense makes the teacher write nonsense.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from antidistill.distill import Layout
from antidistill.sampling import Frame

PAD, EOS, UNKNOWN, THINK, END_THINK = "<pad>", "<eos>", "<unk>", "<think>", "</think>"
SPECIAL = (PAD, EOS, UNKNOWN, THINK, END_THINK)
FRAME = Frame(prompt="{prompt}", opening=THINK, closings=(END_THINK,), closing=END_THINK, chat=False)
"""How the teacher is asked."""
LAYOUT = Layout(prompt="{prompt}", opening=THINK, closing=END_THINK, forcing="", chat=False)
"""What a student learns to write."""

_PIECES = r"[A-Za-z]+|\d|\n|[^\sA-Za-z\d]"
_TIGHT = ".,?!:;"


def tokenizer(texts: Iterable[str]) -> Any:
    """A tokenizer of all words in `texts`, in small letters and with a capital, of digits and of the marks in `texts`."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel(_vocabulary(texts), unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.Split(Regex(r"[ \t\r]+"), "removed"),
        ]
    )
    inner.decoder = decoders.Sequence(
        [
            decoders.Replace(Regex(rf"^(?![{_TIGHT}\n<])"), " "),
            decoders.Fuse(),
            decoders.Replace(Regex(r"(?<=[\n>]) |(?<=\d) (?=\d)"), ""),
            decoders.Strip(" ", 1, 0),
        ]
    )
    made: Any = PreTrainedTokenizerFast
    return made(
        tokenizer_object=inner,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNKNOWN,
        additional_special_tokens=[THINK, END_THINK],
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def _vocabulary(texts: Iterable[str]) -> dict[str, int]:
    found = {piece for text in texts for piece in re.findall(_PIECES, text)}
    for change in (str.upper, str.lower):
        found |= {change(piece[:1]) + piece[1:] for piece in found}
    return {word: number for number, word in enumerate([*SPECIAL, *sorted(found | set("0123456789"))])}
