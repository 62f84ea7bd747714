"""Excel and OpenDocument workbooks: a section with a table for every sheet.

Values are what was last calculated; formulas, charts, images and comments are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from headstart.knowledge.loaders.base import Loader, LoadError
from headstart.knowledge.loaders.tables import markdown_table
from headstart.knowledge.passages import Document


class Spreadsheet(Loader):
    suffixes: ClassVar = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

    def load(self, path: Path, filename: str) -> Document:
        try:
            with CalamineWorkbook.from_path(path) as workbook:
                return Document("\n".join(_sections(workbook)))
        except PasswordError as error:
            raise LoadError(
                "encrypted",
                f"'{filename}' is protected with a password; save a copy without one and add that.",
            ) from error
        except CalamineError as error:
            raise LoadError("invalid", f"'{filename}' is a damaged workbook: {error}.") from error


def _sections(workbook: CalamineWorkbook) -> Iterator[str]:
    for name in workbook.sheet_names:
        table = markdown_table(_rows(workbook, name))
        if table:
            yield f"## {name}\n\n{table}"


def _rows(workbook: CalamineWorkbook, name: str) -> Iterator[Sequence[str]]:
    sheet = workbook.get_sheet_by_name(name)
    for row in sheet.to_python(skip_empty_area=False):
        yield [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, float):
        return f"{cell:.12g}"  # 0.1 + 0.2 is 0.3 to whoever wrote the sheet
    if isinstance(cell, datetime):
        return str(cell.date() if cell.time() == datetime.min.time() else cell)
    return str(cell)
