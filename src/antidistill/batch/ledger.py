"""The ledger: the private record of every edit. Ledger + guarded rows = original rows, exactly.

JSON lines. The first line is the header (spec, key id, sources, salt). Then one line per trace, in the order of the input,
and one line per rejected row. What was removed stands in a line as sealed text, as plain text, or only as a hash. Design
note: docs/design/keys-and-ledger.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from antidistill import defenses
from antidistill.batch.edited import Edited
from antidistill.batch.seal import Sealer
from antidistill.errors import LedgerError
from antidistill.formats import Place
from antidistill.keys.cipher import Encrypt

VERSION = 1


class LedgerText(StrEnum):
    """What a ledger holds of the removed text."""

    SEALED = "sealed"
    HASH = "hash"
    PLAIN = "plain"


def header(spec: str, key: bytes, text: LedgerText, salt: bytes, sources: Sequence[Mapping[str, Any]]) -> bytes:
    """The first line of a ledger.

    Args:
        spec: the spec that made the edits.
        key: content of the key file.
        text: what the lines hold of the removed text.
        salt: salt of the seals.
        sources: what was guarded, one entry for each shard.
    """
    fields = {
        "antidistill_ledger": VERSION,
        "spec": orjson.loads(spec),
        "spec_hash": defenses.spec_hash(spec),
        "key_id": defenses.key_id(key),
        "text": str(text),
        "salt": salt.hex(),
        "sources": list(sources),
    }
    return orjson.dumps(fields) + b"\n"


class Recorder:
    """Writes ledger lines.

    Args:
        spec_hash: hash of the spec that made the edits.
        text: what the lines hold of the removed text.
        sealer: seals it; needed for `LedgerText.SEALED` only.
    """

    __slots__ = ("_sealer", "_spec_hash", "_text")

    def __init__(self, spec_hash: str, text: LedgerText, sealer: Sealer | None) -> None:
        self._spec_hash = spec_hash
        self._text = text
        self._sealer = sealer

    @property
    def encrypt(self) -> Encrypt | None:
        """What the sealer seals with, see `Cipher.encrypt`; None where lines are not sealed."""
        return self._sealer.encrypt if self._sealer else None

    def line(
        self,
        shard: int,
        row: int,
        number: int,
        edited: Edited,
        places: Sequence[Place],
        unchanged: str = "",
        whole_row: bytes | None = None,
    ) -> bytes:
        """The ledger line of one trace.

        Args:
            shard: number of the input file, from 0.
            row: line (JSONL) or row (Parquet) of that file, from 1.
            number: place of the trace among those of its row, from 0.
            edited: the trace and its edits.
            places: where its guarded reasoning stands in the guarded row.
            unchanged: why it is unchanged; empty if it is not.
            whole_row: the original row, where the edits alone would not give it back byte for byte.
        """
        (trace, _), edits, guarded, removed = edited
        fields: dict[str, Any] = {
            "shard": shard,
            "row": row,
            "number": number,
            "trace": trace.id,
            "spec": self._spec_hash,
            "answer_sha256": sha256(trace.answer.encode()).hexdigest(),
            "edits": [(start, end, len(replacement), reason) for start, end, replacement, reason in edits],
            "at": [tuple(place) for place in places],
        }
        if unchanged:
            fields["unchanged"] = unchanged
        if whole_row is not None:
            fields["whole_row"] = True
        head = orjson.dumps(fields)
        rest = self.rest(head + guarded.encode(), len(head), removed.encode() if whole_row is None else whole_row)
        return head[:-1] + rest

    def rejected(self, shard: int, row: int, reason: str) -> bytes:
        """The ledger line of a row that did not come out."""
        return orjson.dumps({"shard": shard, "row": row, "rejected": reason}) + b"\n"

    def rest(self, bound: bytes, head: int, removed: bytes) -> bytes:
        """What stands in a line behind its fields, the last brace aside.

        Args:
            bound: the fields as JSON, and the guarded text behind them.
            head: length of the fields.
            removed: what was removed, or the whole row.
        """
        if self._sealer is not None:
            return b',"sealed":"%b"}\n' % self._sealer.seal(removed, bound)
        fields = {"guarded_sha256": sha256(bound[head:]).hexdigest()}
        if self._text is LedgerText.HASH:
            fields["removed_sha256"] = sha256(removed).hexdigest()
        else:
            fields["plain"] = removed.decode()
        return b",%b\n" % orjson.dumps(fields)[1:]


class Line(NamedTuple):
    """A ledger line and its number in the file, from 1."""

    number: int
    fields: dict[str, Any]


class Ledger:
    """A ledger file.

    Raises:
        LedgerError: the file is not a ledger.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        first = next(self._lines(), None)
        if first is None or first.fields.get("antidistill_ledger") != VERSION:
            raise LedgerError(f"{path} is not a ledger of this version: give the file that --ledger named.")
        self.header = first.fields

    @property
    def text(self) -> LedgerText:
        """What the lines hold of the removed text."""
        return LedgerText(self.header["text"])

    def rows(self) -> Iterator[tuple[int, int, list[Line]]]:
        """(shard, row, lines) of every row, in the order of the input."""
        lines = self._lines()
        next(lines)
        for (shard, row), group in groupby(lines, key=lambda line: (line.fields["shard"], line.fields["row"])):
            yield shard, row, list(group)

    def _lines(self) -> Iterator[Line]:
        try:
            with self.path.open("rb") as file:
                for number, text in enumerate(file, 1):
                    yield Line(number, self._fields(number, text))
        except OSError as error:
            raise LedgerError(f"ledger {self.path} cannot be read ({error.strerror}).") from error

    def _fields(self, number: int, text: bytes) -> dict[str, Any]:
        try:
            fields = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise LedgerError(
                f"line {number} of ledger {self.path} is not JSON: the ledger was cut or changed."
            ) from error
        if not isinstance(fields, dict) or (number > 1 and not {"shard", "row"} <= fields.keys()):
            raise LedgerError(
                f"line {number} of {self.path} is not a ledger line: the file was changed, or is no ledger."
            )
        return fields


def opened(fields: dict[str, Any], guarded: str, sealer: Sealer | None) -> bytes:
    """What was removed, from the fields of a ledger line.

    Args:
        fields: the ledger line.
        guarded: the reasoning that stands in the guarded row.
        sealer: opens sealed text.

    Raises:
        LedgerError: line and guarded reasoning do not belong together, or the line holds hashes only.
    """
    if sealer is not None and "sealed" in fields:
        head = orjson.dumps({name: value for name, value in fields.items() if name != "sealed"})
        return sealer.open(fields["sealed"], head + guarded.encode())
    if fields.get("guarded_sha256") != sha256(guarded.encode()).hexdigest():
        raise LedgerError("the guarded text is another one")
    if "plain" not in fields:
        raise LedgerError("the ledger holds only hashes of what was removed")
    return str(fields["plain"]).encode()
