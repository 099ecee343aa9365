"""Several processes on one port; one that dies is started again, and all end together."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from antidistill.errors import AntidistillError, UsageError
from antidistill.serve.operations import forget_process, log

_PAUSE = 1.0
_REFUSED = 3
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(slots=True)
class Workers:
    """Runs `work(number)` in `count` processes until SIGTERM or SIGINT; SIGHUP is passed on.

    Must run before an event loop or a thread is started. Where this process is killed, the others are told to end.

    Args:
        count: processes.
        work: what each of them does; number 0 also serves the metrics of all. What it raises as an AntidistillError before
            its first second is over would come again, so it ends all processes.
        renew: called on SIGHUP and before a process is started again, so that it does not begin with an old state.
        stopped: called once when all are told to stop.
    """

    count: int
    work: Callable[[int], None]
    renew: Callable[[], None] = lambda: None
    stopped: Callable[[], None] = lambda: None
    _running: dict[int, int] = field(default_factory=dict)
    _stopping: bool = False
    _refusal: tuple[int, int] = (-1, -1)
    _lifeline: tuple[int, int] = (-1, -1)

    def run(self) -> None:
        """Returns when all processes have ended.

        Raises:
            UsageError: a process could not begin its work.
        """
        self._refusal, self._lifeline = os.pipe(), os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for number in range(self.count):
            self._start(number)
        for signal_number in _SIGNALS:
            signal.signal(signal_number, self._tell)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        refused = False
        while self._running:
            process, status = os.wait()
            number = self._running.pop(process)
            forget_process(process)
            if self._stopping:
                continue
            code = os.waitstatus_to_exitcode(status)
            if code == _REFUSED:
                refused = True
                self._tell(signal.SIGTERM)
            else:
                log("worker died: another one starts", status=code)
                self._restart(number)
        if refused:
            raise UsageError(os.read(self._refusal[0], 4096).decode())

    def _tell(self, number: int, frame: object = None) -> None:
        if number == signal.SIGHUP:
            self.renew()
        elif not self._stopping:
            self._stopping = True
            self.stopped()
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _restart(self, number: int) -> None:
        time.sleep(_PAUSE)
        self.renew()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        if not self._stopping:
            self._start(number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _start(self, number: int) -> None:
        process = os.fork()
        if process:
            self._running[process] = number
            return
        code = 1
        try:
            for signal_number in _SIGNALS:
                signal.signal(signal_number, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the server listens to it, it would be the end
            os.close(self._lifeline[1])  # so that only the first process holds that end
            threading.Thread(target=self._end_with_parent, daemon=True).start()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            code = self._work(number)
        except BaseException as error:
            log("worker failed", error=error)
        finally:
            os._exit(code)

    def _work(self, number: int) -> int:
        began = time.monotonic()
        try:
            self.work(number)
        except AntidistillError as error:
            if time.monotonic() - began > _PAUSE:
                raise
            os.write(self._refusal[1], str(error).encode()[:4096])
            return _REFUSED
        return 0

    def _end_with_parent(self) -> None:
        """Waits until the first process is gone, which closes its end of the pipe, however it went."""
        os.read(self._lifeline[0], 1)
        os.kill(os.getpid(), signal.SIGTERM)
