from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from headstart.knowledge.loaders.base import LoadError
from headstart.knowledge.loaders.spreadsheet import Spreadsheet
from tests.knowledge.loaders import made


def test_sheets_are_sections(tmp_path: Path) -> None:
    path = made.xlsx(
        tmp_path / "a.xlsx",
        {
            "Prices": [["item", "price", "sold"], ["tea", 1.5, True], ["coffee", 2.0, None]],
            "Empty": [],
            "People": [["name"], ["Ada"]],
        },
    )
    assert Spreadsheet().load(path, "a.xlsx").text == (
        "## Prices\n\n| item | price | sold |\n| --- | --- | --- |\n| tea | 1.5 | True |\n"
        "| coffee | 2 |  |\n\n## People\n\n| name |\n| --- |\n| Ada |\n"
    )


def test_dates_and_rounding_read_as_people_wrote_them(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["when", "day", "sum"])
        sheet.write_datetime(1, 0, datetime(2024, 5, 1, 13, 30, tzinfo=UTC).replace(tzinfo=None))
        sheet.write_datetime(1, 1, datetime.combine(date(2024, 5, 1), time()))
        sheet.write_number(1, 2, 0.1 + 0.2)
    text = Spreadsheet().load(path, "a.xlsx").text
    assert "| 2024-05-01 13:30:00 | 2024-05-01 | 0.3 |" in text


def test_a_workbook_whose_parts_are_broken(tmp_path: Path) -> None:
    path = made.archive(tmp_path / "a.xlsx", {"xl/workbook.xml": "<workbook><sheets>"})
    with pytest.raises(LoadError, match=r"'a\.xlsx' is a damaged workbook") as refusal:
        Spreadsheet().load(path, "a.xlsx")
    assert refusal.value.code == "invalid"
