"""Remembers originals when guarded reasoning leaves, and puts them back when it returns."""

from __future__ import annotations

import binascii
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from antidistill.errors import SealError
from antidistill.serve.policies import Snapshot, TurnsMode
from antidistill.serve.turns import places
from antidistill.serve.turns.parcels import Kind, Parcel, Ring, parcel_of, room
from antidistill.serve.turns.places import Reasoning, Seal, Spot
from antidistill.serve.turns.stores import Store, StoreDown, store_of

_TOKEN = b"token"
_WRAPPING = 64
"""Bytes of a token around its content, at most: key id, nonce, tag."""


@dataclass(slots=True)
class Restored:
    """What became of the reasoning in one request.

    Attributes:
        hits: texts that are the original again (or never were another one).
        misses: texts that were passed on as they came, by reason: `unknown`, `expired`, `changed`, `broken`, `store-down`.
        changed: the body is another one than before.
    """

    hits: int = 0
    misses: Counter[str] = field(default_factory=Counter)
    changed: bool = False


class Turns:
    """Originals of earlier turns.

    Args:
        ring: keys that seal and open.
        store: where originals are kept, or what does not fit into a token.
        mode: store, token, both or off.
        ttl: seconds for which an original comes back.
        max_token_bytes: of a token on the wire.
        clock: seconds since 1970.
        failed: told of every time that the store did not answer.
    """

    def __init__(
        self,
        ring: Ring,
        store: Store,
        mode: TurnsMode = TurnsMode.STORE,
        *,
        ttl: float = 86_400.0,
        max_token_bytes: int = 262_144,
        clock: Callable[[], float] = time.time,
        failed: Callable[[StoreDown], None] = lambda error: None,
    ) -> None:
        self._ring, self._store, self.mode = ring, store, mode
        self._ttl, self._clock = ttl, clock
        self._max_content = max_token_bytes * 3 // 4 - _WRAPPING
        self._failed = failed

    async def remember(self, original: str, guarded: str, tenant: str, carried: str = "") -> str:
        """Keeps the original of a reasoning that left as `guarded`; call it once, when the reasoning of a message has ended.

        Everything that left has to be remembered, edited or not: a token that stands beside edited reasoning only would
        tell which is edited.

        Args:
            original: the whole reasoning of the message (or of the block, or item, where the dialect has several).
            guarded: what the client got of it.
            tenant: `Client.tenant`; nobody else gets it back.
            carried: what the engine put into the field that the token takes, such as its own signature.

        Returns:
            The token for the field that the dialect leaves free; "" where the mode has none.
        """
        if self.mode is TurnsMode.OFF:
            return ""
        parcel = parcel_of(original, guarded, carried, self._clock())
        if self.mode is not TurnsMode.TOKEN:
            await self._keep(parcel, guarded, tenant)
        return "" if self.mode is TurnsMode.STORE else await self._token(parcel, guarded, tenant)

    async def restore(self, body: Mapping[str, Any], tenant: str) -> Restored:
        """Puts originals back into the body of a request, in place; what has none stays as it came.

        Args:
            body: the parsed request.
            tenant: `Client.tenant` of who sends it.
        """
        result = Restored()
        found = [] if self.mode is TurnsMode.OFF else list(places.find(body))
        opened = [self._opened(reasoning.seals, tenant, result) for reasoning in found]
        kept = await self._kept(found, tenant, result)
        for reasoning, tokens in zip(found, opened, strict=True):
            self._restore_one(reasoning, tokens, kept, result)
        return result

    async def _token(self, parcel: Parcel, guarded: str, tenant: str) -> str:
        """The token of a parcel; of one that does not fit, a token of the same length that refers to the store."""
        length = min(room(guarded) + len(parcel.carried.encode("utf-8", "surrogatepass")), self._max_content)
        sealed = self._ring.seal(parcel, tenant, _TOKEN, length)
        if sealed is None:
            if self.mode is TurnsMode.TOKEN:
                await self._keep(parcel, guarded, tenant)
            pointer = parcel._replace(kind=Kind.IN_STORE, original="", carried="")
            sealed = self._ring.seal(pointer, tenant, _TOKEN, length)
        return binascii.b2a_base64(sealed or b"", newline=False).decode()

    async def _keep(self, parcel: Parcel, guarded: str, tenant: str) -> None:
        if not guarded.strip():
            return  # nothing that could come back
        address = self._ring.addresses(tenant, guarded)[0]
        sealed = self._ring.seal(parcel, tenant, address)
        try:
            await self._store.put(address, sealed or b"")
        except StoreDown as error:
            self._failed(error)

    def _opened(self, seals: Iterable[Seal], tenant: str, result: Restored) -> list[Parcel]:
        """The parcels in tokens of ours; their fields get back what the engine had put there. Foreign seals stay."""
        parcels: list[Parcel] = []
        for seal in seals:
            sealed = _from_base64(seal.value)
            if not self._ring.is_own(sealed):
                continue
            result.changed = True
            try:
                parcel = self._ring.open(sealed, tenant, _TOKEN)
            except SealError:
                result.misses["broken"] += 1
                seal.put("")
                continue
            seal.put(parcel.carried)
            if self._is_old(parcel):
                result.misses["expired"] += 1
            else:
                parcels.append(parcel)
        return parcels

    async def _kept(self, found: Iterable[Reasoning], tenant: str, result: Restored) -> dict[str, Parcel]:
        """What the store holds of the texts of a request, by text; one look-up for the whole request."""
        texts = {text for reasoning in found for pieces in reasoning.texts for text in _readings(pieces)}
        asked = [(text, address) for text in texts for address in self._ring.addresses(tenant, text)]
        try:
            answers = await self._store.get([address for _, address in asked]) if asked else []
        except StoreDown as error:
            self._failed(error)
            result.misses["store-down"] += 1
            return {}
        kept: dict[str, Parcel] = {}
        for (text, address), sealed in zip(asked, answers, strict=True):
            parcel = self._from_store(sealed, tenant, address) if sealed and text not in kept else None
            if parcel is not None:
                kept[text] = parcel
        return kept

    def _from_store(self, sealed: bytes, tenant: str, address: bytes) -> Parcel | None:
        try:
            parcel = self._ring.open(sealed, tenant, address)
        except SealError:
            return None
        return None if self._is_old(parcel) else parcel

    def _is_old(self, parcel: Parcel) -> bool:
        return self._clock() > parcel.issued + self._ttl

    def _restore_one(
        self, reasoning: Reasoning, tokens: Sequence[Parcel], kept: Mapping[str, Parcel], result: Restored
    ) -> None:
        whole = [parcel for parcel in tokens if parcel.kind is not Kind.IN_STORE]
        for pieces in reasoning.texts:
            if not _put(pieces, whole, kept, result):
                result.misses["changed" if tokens else "unknown"] += 1
        bare = [parcel for parcel in whole if parcel.kind is Kind.ORIGINAL]
        if not reasoning.texts and bare:
            reasoning.put_bare(bare[0].original)
            result.hits, result.changed = result.hits + 1, True


def _readings(pieces: Sequence[Spot]) -> list[str]:
    """The texts that pieces may be: all of them one text, or each its own."""
    own = [piece.text for piece in pieces]
    return ["".join(own), *own] if len(own) > 1 else own


def _put(pieces: Sequence[Spot], tokens: Iterable[Parcel], kept: Mapping[str, Parcel], result: Restored) -> bool:
    """Puts the original of a text into its pieces; False if there is none for some of it."""
    text = "".join(piece.text for piece in pieces)
    parcel = next((token for token in tokens if token.is_of(text)), None) or kept.get(text)
    if parcel is None:
        single = [_put([piece], tokens, kept, result) for piece in pieces] if len(pieces) > 1 else [False]
        return all(single)
    result.hits += 1
    original = parcel.original_of(text)
    if original != text:
        result.changed = True
        for piece, content in zip(pieces, [original, *[""] * (len(pieces) - 1)], strict=True):
            piece.put(content)
    return True


def _from_base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""


def turns_of(
    snapshot: Snapshot, store: Store | None = None, failed: Callable[[StoreDown], None] = lambda error: None
) -> Turns:
    """Turns as a policy file wants them.

    Args:
        snapshot: the policies.
        store: one that is open already, so that a reload (of the keys, say) forgets nothing.
        failed: told of every time that the store did not answer.

    Raises:
        MissingExtra: a Redis is named and its client library is not installed.
    """
    wanted = snapshot.settings.turns
    kept = store_of(snapshot.store.reveal(), wanted.ttl_seconds, wanted.max_store_bytes) if store is None else store
    return Turns(
        Ring(snapshot.turn_secrets),
        kept,
        wanted.mode,
        ttl=wanted.ttl_seconds,
        max_token_bytes=wanted.max_token_bytes,
        failed=failed,
    )
