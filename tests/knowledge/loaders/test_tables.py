from __future__ import annotations

from headstart.knowledge.loaders.tables import markdown_table


def test_a_short_table() -> None:
    assert markdown_table([["name", "age"], ["a|b", " 1\n2 "], ["", ""]]) == (
        "| name | age |\n| --- | --- |\n| a\\|b | 1 2 |\n"
    )


def test_no_rows() -> None:
    assert markdown_table([]) == ""
    assert markdown_table([["", " "]]) == ""


def test_a_long_table_repeats_its_header_and_counts_its_rows() -> None:
    rows = [["id", "text"], *([str(number), "x" * 90] for number in range(2, 12)), [], ["13", "y"]]
    parts = markdown_table(rows).split("### Rows ")
    assert [part.partition("\n")[0] for part in parts[1:]] == ["2–5", "6–9", "10–13"]
    for part in parts[1:]:
        assert "\n\n| id | text |\n| --- | --- |\n| " in part
    assert sum(part.count("| x") for part in parts) == 10
