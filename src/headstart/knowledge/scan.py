"""What a sync finds on the server's disk: regular files under the paths that were named.

Hidden files, links and the folders of tools are passed over. A folder that cannot be read is a
problem to tell and no empty folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headstart.errors import BadRequest

_PASSED_OVER = {"node_modules", "__pycache__", "venv"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that did not go in, and why."""

    path: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """A file on disk. `name` is its path below the folder that was named."""

    path: Path
    name: str
    size: int
    modified_ns: int


@dataclass(slots=True)
class Scan:
    files: dict[str, Found] = field(default_factory=dict)
    unreadable: list[Problem] = field(default_factory=list)

    def hides(self, path: str) -> bool:
        """Whether `path` may be there, where this scan could not look."""
        return any(
            path == each.path or path.startswith(f"{each.path}{os.sep}") for each in self.unreadable
        )


def scan(paths: Sequence[str]) -> Scan:
    """The files under `paths` that a sync looks at."""
    found = Scan()
    for each in paths:
        root = Path(each)
        files = _walk(root, found) if root.is_dir() else [root]
        for path in files:
            try:
                status = path.stat()
            except OSError as error:
                problem = Problem(str(path), "unreadable", error.strerror or str(error))
                found.unreadable.append(problem)
                continue
            name = path.relative_to(root).as_posix() if path != root else path.name
            found.files.setdefault(str(path), Found(path, name, status.st_size, status.st_mtime_ns))
    return found


def check_paths(paths: Sequence[str]) -> list[str]:
    """The paths, absolute. Raises `BadRequest` for one that is not there."""
    absolute = []
    for each in paths:
        path = Path(each).expanduser()
        if not path.is_absolute():
            raise BadRequest(
                f"'{each}' is not an absolute path; the server does not know your folder.",
                param="paths",
            )
        if not path.exists():
            raise BadRequest(
                f"'{each}' is not there. Nothing was changed; check the path, or that its disk is "
                "mounted.",
                param="paths",
            )
        absolute.append(str(path.resolve()))
    return absolute


def _walk(folder: Path, found: Scan) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        reason = error.strerror or str(error)
        found.unreadable.append(Problem(str(error.filename), "unreadable", reason))

    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if _is_looked_at(Path(parent, name)))
        for name in sorted(files):
            if _is_looked_at(path := Path(parent, name)):
                yield path


def _is_looked_at(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name in _PASSED_OVER
    return not hidden and not path.is_symlink() and (path.is_dir() or path.is_file())
