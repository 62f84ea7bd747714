"""Loaders that crash, hang and eat memory plug in like anyone's, and cost only their own file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from headstart.knowledge import loaders
from headstart.knowledge.loaders.base import Limits, LoadError
from headstart.knowledge.loaders.isolated import Converters

HOSTILE = """
import os, sys, time
from pathlib import Path
from headstart.knowledge.loaders.base import Loader
from headstart.knowledge.passages import Document

class Hostile(Loader):
    suffixes = (".crash", ".exit", ".hang", ".greedy", ".noisy", ".pid", ".env", ".rude", ".once")

    def load(self, path, filename):
        return getattr(self, Path(filename).suffix[1:])(path)

    def crash(self, path):
        os.abort() if path.read_text() == "abort" else os.kill(os.getpid(), 11)

    def exit(self, path):
        os._exit(7)

    def hang(self, path):
        Path(path).with_suffix(".started").write_text(str(os.getpid()))
        time.sleep(1000)

    def greedy(self, path):
        return Document("x" * 2**40)

    def noisy(self, path):
        print("noise" * 1000)
        os.write(1, b"more noise")
        return Document("quiet")

    def pid(self, path):
        return Document(str(os.getpid()))

    def env(self, path):
        return Document(" ".join(os.environ))

    def rude(self, path):
        raise ZeroDivisionError("over\\nthere")

    def once(self, path):
        sys.modules["select"].select = lambda *_: ([], [], [])  # retire after this file
        return Document(str(os.getpid()))
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution with a loader."""
    site = tmp_path / "site"
    info = site / "hostile-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(
        "[headstart.loaders]\nhostile = hostile:Hostile\n", "utf-8"
    )
    (site / "hostile.py").write_text(HOSTILE, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(site))


@pytest.fixture
def converters(plugin: None) -> Iterator[Converters]:
    made = Converters(size=2)
    yield made
    made.close()


def load(converters: Converters, path: Path, content: str = "x") -> str:
    path.write_text(content, "utf-8")
    return converters.load(path, path.name).text


def refusal(converters: Converters, path: Path, content: str = "x") -> LoadError:
    with pytest.raises(LoadError) as caught:
        load(converters, path, content)
    assert caught.value.message.startswith(f"'{path.name}' ")
    return caught.value


def test_a_process_serves_many_files(converters: Converters, tmp_path: Path) -> None:
    pids = {load(converters, tmp_path / f"{number}.pid") for number in range(5)}
    assert len(pids) == 1
    assert pids != {str(os.getpid())}


def test_a_document_comes_back_whole(converters: Converters, tmp_path: Path) -> None:
    text = "# Ünïcödé 😀\n\n" + "A long line. " * 100_000
    assert load(converters, tmp_path / "a.md", text) == text


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("a.crash", "segfault", "invalid", "crashes its converter (SIGSEGV)"),
        ("a.crash", "abort", "too_large", "memory"),
        ("a.exit", "", "invalid", "crashes its converter (status 7)"),
        ("a.greedy", "", "too_large", "more than 2,048 MiB of memory"),
        ("a.rude", "", "invalid", "ZeroDivisionError: over there"),
    ],
)
def test_a_crash_costs_one_file(
    converters: Converters, tmp_path: Path, name: str, content: str, code: str, words: str
) -> None:
    error = refusal(converters, tmp_path / name, content)
    assert error.code == code
    assert words in error.message
    assert load(converters, tmp_path / "next.txt", "fine") == "fine"


def test_a_file_that_hangs_is_given_up(plugin: None, tmp_path: Path) -> None:
    converters = Converters(size=1, limits=Limits(seconds=2))
    error = refusal(converters, tmp_path / "a.hang")
    assert error.code == "too_large"
    assert "longer than 2 s" in error.message
    assert not psutil.pid_exists(int((tmp_path / "a.started").read_text()))
    assert load(converters, tmp_path / "next.txt", "fine") == "fine"
    converters.close()


def test_a_process_at_work_does_not_outlive_its_server(plugin: None, tmp_path: Path) -> None:
    (tmp_path / "a.hang").write_text("x", "utf-8")
    program = (
        "import sys; from pathlib import Path; "
        "from headstart.knowledge.loaders.isolated import Converters, Limits; "
        "Converters(limits=Limits(seconds=3)).load(Path(sys.argv[1]), 'a.hang')"
    )
    server = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "a.hang")])
    started = tmp_path / "a.started"
    while not (started.exists() and started.read_text()):
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(0.02)
    worker = psutil.Process(int(started.read_text()))
    server.kill()
    server.wait()
    gone, _ = psutil.wait_procs([worker], timeout=20)
    assert gone


def test_what_a_loader_prints_is_not_taken_for_an_answer(
    converters: Converters, tmp_path: Path
) -> None:
    assert load(converters, tmp_path / "a.noisy") == "quiet"
    assert load(converters, tmp_path / "b.noisy") == "quiet"


def test_secrets_are_not_passed_on(
    converters: Converters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_ADMIN_KEY", "hs-secret-secret-secret")
    assert "HEADSTART" not in load(converters, tmp_path / "a.env")


def test_a_process_that_retired_is_replaced(converters: Converters, tmp_path: Path) -> None:
    retired = int(load(converters, tmp_path / "a.once"))
    psutil.wait_procs([psutil.Process(retired)], timeout=10)
    assert load(converters, tmp_path / "b.pid") != str(retired)


def test_files_in_parallel_use_at_most_as_many_processes(
    converters: Converters, tmp_path: Path
) -> None:
    gate = threading.Barrier(8)

    def one(number: int) -> str:
        gate.wait()
        return load(converters, tmp_path / f"{number}.pid")

    with ThreadPoolExecutor(8) as threads:
        assert 1 <= len(set(threads.map(one, range(8)))) <= 2


def test_close_ends_the_processes(converters: Converters, tmp_path: Path) -> None:
    pid = int(load(converters, tmp_path / "a.pid"))
    converters.close()
    assert not psutil.pid_exists(pid)


def test_a_bomb_that_no_check_sees_meets_the_memory_limit(tmp_path: Path) -> None:
    """A sheet of two cells, the corners of the grid: a dense table of it has 17 billion."""
    import xlsxwriter

    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "here")
        sheet.write(1_048_575, 16_383, "there")
    converters = Converters(size=1)
    with pytest.raises(LoadError) as caught:
        converters.load(path, "a.xlsx")
    assert caught.value.code == "too_large"
    converters.close()


def test_load_uses_a_pool_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Title\n\nText", "utf-8")
    document = loaders.load(tmp_path / "a.md", "a.md")
    assert (document.title, document.text) == ("Title", "# Title\n\nText")
