"""What the terminal shows while the server comes up: a line and a bar for everything declared."""

from __future__ import annotations

import webbrowser
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from headstart.cli.output import out

if TYPE_CHECKING:
    from headstart.app import Started
    from headstart.apps.reconcile import Step

_MARKS = {"done": "[green]✓[/]", "unchanged": "[green]✓[/]", "failed": "[bold red]✗[/]"}


class StartupScreen:
    """Live bars on a terminal; elsewhere a line for each thing that is finished."""

    def __init__(self, *, open_browser: bool) -> None:
        self._open_browser = open_browser
        self._bars: dict[tuple[str, str], TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("[dim]{task.fields[detail]}"),
            TimeElapsedColumn(),
            console=out,
            transient=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def started(self, started: Started) -> None:
        """The server answers: where it is, and how to get in."""
        lines = [
            ("Console", started.sign_in_link, "signs you in once, within the hour"),
            ("API", f"{started.address}/v1", ""),
        ]
        if started.new_admin_key is not None:
            lines.append(("Key", started.new_admin_key, "the admin key, shown only now: keep it"))
        out.print("\n[bold]Headstart is up[/]\n")
        for label, value, note in lines:
            text = Text(f"  {label:<9}", "dim").append(value, "not dim bold cyan")
            out.print(text, soft_wrap=True)  # a link that is cut cannot be followed
            if note:
                out.print(f"  {'':<9}[dim]{note}[/]")
        out.print()
        if out.is_terminal:
            self._progress.start()
        if self._open_browser:
            webbrowser.open(started.sign_in_link)

    def report(self, step: Step) -> None:
        """Show how far one declared thing is."""
        key = (step.kind, step.name)
        if step.is_last:
            if key in self._bars:
                self._progress.remove_task(self._bars.pop(key))
            what = f"{step.kind} [bold]{step.name}[/]"
            out.print(f"{_MARKS[step.state]} {what}  [dim]{escape(step.text)}[/]")
            return
        if not out.is_terminal:
            return
        if key not in self._bars:
            self._bars[key] = self._progress.add_task(f"{step.kind} {step.name}", detail="")
        self._progress.update(
            self._bars[key], completed=step.done, total=step.total, detail=escape(step.text)
        )

    def settled(self, steps: list[Step]) -> None:
        """Everything declared was tried."""
        self._progress.stop()
        failed = [step for step in steps if step.state == "failed"]
        if failed:
            out.print(f"[yellow]{len(failed)} of {len(steps)} failed; the rest serves.[/]")
        out.print("[bold green]Ready.[/] [dim]Ctrl-C stops the server.[/]")
