from __future__ import annotations

import pytest

from headstart.knowledge.blocks import Block, blocks

TEXT = """\
# One *big* [link](x) `code` ![image](y)

A paragraph
of two lines.

Two
===

- item
  more
  - nested

> # quoted

```python
# not a heading

x = 1
```

| a | b |
|---|:-:|
| 1 | 2 |

[label]: target
### Three ###
"""


def described(text: str) -> list[tuple[str, str]]:
    return [(block.kind, text[block.start : block.end].split("\n")[0]) for block in blocks(text)]


def test_kinds() -> None:
    assert described(TEXT) == [
        ("heading", "# One *big* [link](x) `code` ![image](y)"),
        ("text", "A paragraph"),
        ("heading", "Two"),
        ("text", "- item"),
        ("text", "  - nested"),
        ("text", "> # quoted"),
        ("code", "```python"),
        ("table", "| a | b |"),
        ("text", "[label]: target"),
        ("heading", "### Three ###"),
    ]


def test_headings_have_their_level_and_their_text_without_markup() -> None:
    headings = [(b.level, b.title) for b in blocks(TEXT) if b.kind == "heading"]
    assert headings == [(1, "One big link code"), (1, "Two"), (3, "Three")]


def test_a_dash_list_under_a_line_with_a_pipe_is_no_table() -> None:
    assert described("a | b\n- x\n")[0] == ("text", "a | b")


@pytest.mark.parametrize("text", ["", "\n \n", "\n\n\n"])
def test_nothing(text: str) -> None:
    assert list(blocks(text)) == []


def test_windows_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXT * 20
    whole = list(blocks(text))
    for size in (16, 100, 1000):
        monkeypatch.setattr("headstart.knowledge.blocks._WINDOW", size)
        assert list(blocks(text)) == whole


def test_an_unclosed_fence_reaches_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.knowledge.blocks._WINDOW", 16)
    text = "a\n\n```\n" + "# x\n\n" * 50
    assert list(blocks(text))[1] == Block(3, len(text), "code")
