"""The machine as it is, and as a container sees it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from headstart.hub.machine import Machine, _within_cgroup


def test_describes_this_machine(tmp_path: Path) -> None:
    machine = Machine.now(tmp_path / "not" / "there" / "yet")
    assert machine.cpu
    assert 1 <= machine.cores <= (psutil.cpu_count() or 1)
    assert 0 < machine.memory_free <= machine.memory_total
    assert machine.disk_free > 0


@pytest.mark.parametrize(
    ("limit", "used", "cached", "expected"),
    [
        ("max", 5, 0, (1000, 800)),
        ("500", 100, 0, (500, 400)),
        ("500", 400, 300, (500, 400)),  # a file cache can be dropped
        ("500", 600, 0, (500, 0)),
        ("5000", 100, 0, (1000, 800)),
    ],
)
def test_a_containers_limit_is_its_memory(
    tmp_path: Path, limit: str, used: int, cached: int, expected: tuple[int, int]
) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    (tmp_path / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")
    assert _within_cgroup(1000, 800, tmp_path) == expected


def test_no_container_no_limit(tmp_path: Path) -> None:
    assert _within_cgroup(1000, 800, tmp_path) == (1000, 800)
