from __future__ import annotations

from pathlib import Path

import pytest

from headstart.knowledge.loaders.delimited import Delimited


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_quotes(tmp_path: Path, delimiter: str) -> None:
    rows = ['name{d}"price, net"{d}note', 'tea{d}"1,50"{d}"hot; ""very"""', "coffee{d}2{d}"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(row.format(d=delimiter) for row in rows), "utf-8")
    assert Delimited().load(path, "a.csv").text == (
        '| name | price, net | note |\n| --- | --- | --- |\n| tea | 1,50 | hot; "very" |\n'
        "| coffee | 2 |  |\n"
    )


def test_a_line_break_within_a_cell_stays_in_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\r\n"one\r\ntwo",3\r\n', "utf-8")
    assert Delimited().load(path, "a.csv").text == "| a | b |\n| --- | --- |\n| one two | 3 |\n"


def test_one_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name\nOslo\nBergen\n", "utf-8")
    assert Delimited().load(path, "a.csv").text == "| name |\n| --- |\n| Oslo |\n| Bergen |\n"
