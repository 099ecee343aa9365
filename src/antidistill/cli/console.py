"""The console for results on stdout."""

from __future__ import annotations

from rich.console import Console


class ResultConsole(Console):
    """A console whose reader may go away: `main` makes that no error."""

    def on_broken_pipe(self) -> None:
        """Tells `main`.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError
