"""Workers end with the process that started them, also where it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PARENT = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from antidistill.processes import end_with_parent

if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context("spawn"), end_with_parent) as pool:
        first = pool.submit(os.getpid)
        rest = [pool.submit(time.sleep, 60) for _ in range(4)]
        print(os.getpid(), *pool._processes, flush=True)
        rest[0].result()
"""
SECONDS = 20


def test_workers_end_when_their_parent_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    _, *workers = map(int, parent.stdout.readline().split())
    assert len(workers) == 2
    assert all(map(alive, workers))
    time.sleep(1)  # the watch begins when a worker does
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    end = time.monotonic() + SECONDS
    while any(map(alive, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def alive(process: int) -> bool:
    """A process that ended and that nobody asked for yet is not alive."""
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
