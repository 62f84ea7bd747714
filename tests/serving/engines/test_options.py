"""The table of options in the docs is the one in the code."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from headstart.serving.workers import echo, llamacpp, openvino, openvino_embeddings

DOCS = Path(__file__).resolve().parents[3] / "docs" / "engines.md"
OPTIONS: dict[str, type[BaseModel]] = {
    "openvino": openvino.Options,
    "llamacpp": llamacpp.Options,
    "openvino-embeddings": openvino_embeddings.Options,
    "echo": echo.Options,
}


def test_the_docs_list_every_option() -> None:
    rows = [
        f"| `{engine}` | `{name}` | `{field.default}` | {field.description} |"
        for engine, options in OPTIONS.items()
        for name, field in options.model_fields.items()
    ]
    text = DOCS.read_text("utf-8")
    table = text[text.index("| engine | option |") :].partition("\n\n")[0].splitlines()[2:]
    assert table == rows
