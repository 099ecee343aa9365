"""Turns: guarded reasoning comes back with the next request, and the engine gets the original. See docs/turns.md."""

from antidistill.serve.turns.memory import Restored, Turns, turns_of
from antidistill.serve.turns.parcels import Ring
from antidistill.serve.turns.stores import MemoryStore, RedisStore, Store, StoreDown, store_of

__all__ = ["MemoryStore", "RedisStore", "Restored", "Ring", "Store", "StoreDown", "Turns", "store_of", "turns_of"]
