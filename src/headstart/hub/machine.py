"""The machine that models are to run on: what it has, and what of that is free now."""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import psutil

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine at a moment. Memory and disk in bytes; a container's limit counts as its memory."""

    cpu: str
    cores: int
    memory_total: int
    memory_free: int
    disk_free: int  # where the model store is
    accelerators: tuple[str, ...]

    @classmethod
    def now(cls, store: Path) -> Self:
        memory = psutil.virtual_memory()
        total, free = _within_cgroup(memory.total, memory.available)
        return cls(
            cpu=_cpu(),
            cores=_cores(),
            memory_total=total,
            memory_free=free,
            disk_free=shutil.disk_usage(_existing(store)).free,
            accelerators=_accelerators(),
        )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists already."""
    while not folder.exists():
        folder = folder.parent
    return folder


def _within_cgroup(total: int, free: int, cgroup: Path = _CGROUP) -> tuple[int, int]:
    """Memory that a container may use, when it may use less than the machine has."""
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
        statistics = dict(
            line.split() for line in (cgroup / "memory.stat").read_text().splitlines()
        )
    except (OSError, ValueError):  # no container, or no limit ("max")
        return total, free
    reclaimable = int(statistics.get("inactive_file", 0))
    return min(total, limit), max(0, min(free, limit - used + reclaimable))


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(psutil.Process, "cpu_affinity"):  # not on macOS
        return len(psutil.Process().cpu_affinity())
    return psutil.cpu_count() or 1


@cache
def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@cache
def _accelerators() -> tuple[str, ...]:
    """NVIDIA GPUs by name and memory, as their driver's tool tells it; Apple's by its chip."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return ("Apple GPU (Metal)",)
    if shutil.which("nvidia-smi") is None:
        return ()
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        listing = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in listing.stdout.splitlines() if line.strip())
