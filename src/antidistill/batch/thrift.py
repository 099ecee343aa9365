"""Reads and writes any Thrift struct in the compact protocol: all that a Parquet footer needs, and no schema.

Specification: thrift.apache.org, "Thrift Compact protocol". Unknown fields survive a round trip.
"""

from __future__ import annotations

import io
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
    return _read_struct(io.BytesIO(data))


def dumps(struct: Struct) -> bytes:
    """The bytes of `struct`; field ids ascend."""
    out = bytearray()
    _write_struct(out, struct)
    return bytes(out)


def _read_struct(source: io.BytesIO) -> Struct:
    fields: Struct = {}
    number = 0
    while header := source.read(1)[0]:
        kind = header & 15
        number = number + (header >> 4) if header >> 4 else _read_zigzag(source)
        fields[number] = Field(kind, kind == _TRUE if kind in (_TRUE, _FALSE) else _read(source, kind))
    return fields


def _read(source: io.BytesIO, kind: int) -> Any:
    if kind in _INTEGERS:
        return _read_zigzag(source)
    if kind == _BINARY:
        return source.read(_read_varint(source))
    if kind == _STRUCT:
        return _read_struct(source)
    if kind in (_LIST, _SET):
        return _read_sequence(source)
    if kind == _MAP:
        return _read_map(source)
    if kind == _DOUBLE:
        return source.read(8)
    if kind in (_TRUE, _FALSE, _I8):
        return source.read(1)
    raise ValueError(f"no such Thrift type: {kind}")


def _read_sequence(source: io.BytesIO) -> Sequence:
    header = source.read(1)[0]
    size = header >> 4
    if size == _LONG_LIST:
        size = _read_varint(source)
    return Sequence(header & 15, [_read(source, header & 15) for _ in range(size)])


def _read_map(source: io.BytesIO) -> Mapping:
    size = _read_varint(source)
    kinds = divmod(source.read(1)[0], 16) if size else (0, 0)
    return Mapping(kinds, [(_read(source, kinds[0]), _read(source, kinds[1])) for _ in range(size)])


def _read_varint(source: io.BytesIO) -> int:
    value = shift = 0
    while (byte := source.read(1)[0]) & 128:
        value |= (byte & 127) << shift
        shift += 7
    return value | byte << shift


def _read_zigzag(source: io.BytesIO) -> int:
    value = _read_varint(source)
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
