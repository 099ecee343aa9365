from typing import Any

def guard_lines(
    data: bytes, position: int, number: int, shard: int, recipe: tuple[Any, ...], /
) -> tuple[int, int, bytes, bytes, tuple[tuple[int, int, int, int, int, int], list[str]]]: ...
