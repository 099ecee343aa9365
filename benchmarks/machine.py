"""What a benchmark ran on."""

import os
import platform
from pathlib import Path


def describe() -> dict[str, str | int | float]:
    """The machine and the Python, as every benchmark prints them: processor, cores, memory in GB, system, Python."""
    return {
        "cpu": _line("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(int((_line("/proc/meminfo", "MemTotal") or "0").split()[0]) / 1e6, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _line(path: str, name: str) -> str:
    """The value of the first `name: value` line of a file; empty where there is none."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
