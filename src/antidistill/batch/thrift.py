"""Reads and writes any Thrift struct in the compact protocol: all that a Parquet footer needs, and no schema.

Specification: thrift.apache.org, "Thrift Compact protocol". Unknown fields survive a round trip.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_TRUE, _FALSE, _I8, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, 6)
_LONG_LIST = 15


class Field(NamedTuple):
    """Type code of the compact protocol, and the value."""

    kind: int
    value: Any


class Sequence(NamedTuple):
    """A list or set with the type code of its elements."""

    kind: int
    items: list[Any]


class Mapping(NamedTuple):
    """A map with the type codes of its keys and values."""

    kinds: tuple[int, int]
    items: list[tuple[Any, Any]]


Struct = dict[int, Field]


def loads(data: bytes) -> Struct:
    """The struct at the start of `data`, by field id."""
    return _Reader(data).struct()


def dumps(struct: Struct) -> bytes:
    """The bytes of `struct`; field ids ascend."""
    out = bytearray()
    _write_struct(out, struct)
    return bytes(out)


class _Reader:
    """Reads one value after the other."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while header := self._byte():
            kind = header & 15
            number = number + (header >> 4) if header >> 4 else self._zigzag()
            fields[number] = Field(kind, kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind))
        return fields

    def _value(self, kind: int) -> Any:
        if kind in _INTEGERS:
            return self._zigzag()
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind == _STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            return self._sequence()
        if kind == _MAP:
            return self._map()
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind in (_TRUE, _FALSE, _I8):
            return self._bytes(1)
        raise ValueError(f"no such Thrift type: {kind}")

    def _sequence(self) -> Sequence:
        header = self._byte()
        size = header >> 4
        if size == _LONG_LIST:
            size = self._varint()
        return Sequence(header & 15, [self._value(header & 15) for _ in range(size)])

    def _map(self) -> Mapping:
        size = self._varint()
        kinds = divmod(self._byte(), 16) if size else (0, 0)
        return Mapping(kinds, [(self._value(kinds[0]), self._value(kinds[1])) for _ in range(size)])

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte

    def _bytes(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._data[self._at]) & 128:
            self._at += 1
            value |= (byte & 127) << shift
            shift += 7
        self._at += 1
        return value | byte << shift

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def _write_struct(out: bytearray, struct: Struct) -> None:
    previous = 0
    for number, (kind, value) in sorted(struct.items()):
        if kind in (_TRUE, _FALSE):
            kind = _TRUE if value else _FALSE
        delta = number - previous
        if 0 < delta < 16:
            out.append(delta << 4 | kind)
        else:
            out.append(kind)
            _write_zigzag(out, number)
        if kind not in (_TRUE, _FALSE):
            _write(out, kind, value)
        previous = number
    out.append(0)


def _write(out: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _write_zigzag(out, value)
    elif kind == _BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind == _STRUCT:
        _write_struct(out, value)
    elif kind in (_LIST, _SET):
        _write_sequence(out, value)
    elif kind == _MAP:
        _write_map(out, value)
    else:
        out += value


def _write_sequence(out: bytearray, sequence: Sequence) -> None:
    size = len(sequence.items)
    out.append(min(size, _LONG_LIST) << 4 | sequence.kind)
    if size >= _LONG_LIST:
        _write_varint(out, size)
    for item in sequence.items:
        _write(out, sequence.kind, item)


def _write_map(out: bytearray, mapping: Mapping) -> None:
    _write_varint(out, len(mapping.items))
    if mapping.items:
        out.append(mapping.kinds[0] << 4 | mapping.kinds[1])
    for key, value in mapping.items:
        _write(out, mapping.kinds[0], key)
        _write(out, mapping.kinds[1], value)


def _write_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _write_zigzag(out: bytearray, value: int) -> None:
    _write_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
