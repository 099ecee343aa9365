from typing import Any

def guard_lines(
    data: bytes, position: int, number: int, shard: int, recipe: tuple[Any, ...], /
) -> tuple[int, int, bytes, bytes, tuple[tuple[int, int, int, int, int, int], list[str]]]: ...
def guard_columns(
    columns: list[tuple[Any, ...]],
    position: int,
    stop: int,
    number: int,
    shard: int,
    width: int,
    recipe: tuple[Any, ...],
    /,
) -> tuple[int, bytes, bytes, bytes, tuple[tuple[int, int, int, int, int, int], list[str]]]: ...
def count_lines(data: bytes, /) -> int: ...
