from __future__ import annotations

from pathlib import Path

import pytest

from headstart.runtime.logs import Log


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "logs" / "x.log", max_bytes=1000)


def test_a_log_that_is_not_there_is_empty(log: Log) -> None:
    assert log.tail(10) == ""
    assert log.after(0) == ("", 0)
    assert log.size == 0


def test_the_tail_is_the_last_lines_of_many_blocks(log: Log) -> None:
    with log.open() as file:
        file.write(b"".join(b"line %d\n" % number for number in range(30_000)))
    assert log.tail(2) == "line 29998\nline 29999"
    assert len(log.tail(12_345).splitlines()) == 12_345
    assert log.tail(0) == ""
    assert log.tail(100_000).startswith("line 0\n")


def test_the_tail_since_a_moment(log: Log) -> None:
    with log.open() as file:
        file.write(b"before\n")
        since = log.size
        file.write("änderung\n".encode())
    assert log.tail(10, since) == "änderung"


def test_a_writer_goes_on_after_the_cut(log: Log) -> None:
    with log.open() as writer:
        writer.write(b"old\n" * 300)
        log.bound()
        writer.write(b"new\n")
    assert log.path.read_text() == "new\n"
    assert log.path.with_name("x.log.1").read_text() == "old\n" * 300
    assert log.tail(10, since=1200) == "new"  # `since` lies before the cut


def test_following_takes_whole_lines_and_survives_a_cut(log: Log) -> None:
    with log.open() as writer:
        writer.write(b"one\ntw")
        text, offset = log.after(0)
        assert (text, offset) == ("one\n", 4)
        assert log.after(offset) == ("", 4)
        writer.write(b"o\n")
        text, offset = log.after(offset)
        assert text == "two\n"
        writer.write(b"x" * 2000 + b"\n")
        log.bound()
        writer.write(b"!\n")
        assert log.after(offset) == ("!\n", 2)


def test_removal_takes_the_predecessor_along(log: Log) -> None:
    with log.open() as writer:
        writer.write(b"x" * 2000)
    log.bound()
    log.remove()
    assert list(log.path.parent.iterdir()) == []
