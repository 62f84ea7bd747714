"""The whole layer: documents in, passages out."""

from __future__ import annotations

from pathlib import Path

from tests.knowledge.stub import running_stack


async def test_a_folder_becomes_searchable_passages(home: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "leave.md").write_text("# Leave\n\nEmployees have thirty days of holiday a year.\n")
    (docs / "travel.md").write_text("# Travel\n\nTrains are booked in second class.\n")
    async with running_stack(home) as stack:
        report = await stack.knowledge.sync("handbook", [str(docs)])
        assert (report.added, report.failed) == (2, [])
        [store_id] = await stack.knowledge.store_ids(["handbook"])
        [best, *_] = await stack.knowledge.search([store_id], "how many days of holiday")
        assert best.filename == "leave.md"
        assert "thirty days" in best.text
        found = await stack.knowledge.passage(store_id, best.id)
        document = (docs / "leave.md").read_text()
        assert found.before + best.text + found.after in document
