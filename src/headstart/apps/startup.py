"""How far the server is with bringing up what `headstart.toml` declares."""

from __future__ import annotations

from dataclasses import dataclass, field

from headstart.apps.reconcile import Step


@dataclass
class Startup:
    """The newest step of every declared thing, in the order in which they were first heard of."""

    steps: dict[tuple[str, str], Step] = field(default_factory=dict)
    is_over: bool = False

    def report(self, step: Step) -> None:
        self.steps[step.kind, step.name] = step
