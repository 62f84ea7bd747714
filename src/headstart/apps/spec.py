"""What an app says of itself: the part of it that is versioned.

Instructions are kept as text, not as the file they came from, so a version stays what it was.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from headstart.reasoning.base import strategies

BUILT_IN_VARIABLES = ("app", "knowledge", "today")
_VARIABLE = re.compile(r"\{([A-Za-z_]\w*)\}")


def _available_strategy(name: str) -> str:
    if name not in strategies():
        offered = ", ".join(f"'{known}'" for known in sorted(strategies()))
        raise ValueError(f"'{name}' is not available; available: {offered}")
    return name


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Memory(Spec):
    """How much of a conversation's past goes into the prompt."""

    strategy: Literal["window"] = "window"
    max_tokens: int = Field(
        default=1500, ge=0, description="Tokens of earlier turns, newest first."
    )


class AppSpec(Spec):
    """Instructions + knowledge + reasoning over an endpoint."""

    endpoint: str
    description: str = ""
    instructions: str = Field(default="", description="A template with {variables}.")
    variables: dict[str, str] = Field(default={})
    knowledge: list[str] = Field(default=[])
    passages: int = Field(
        default=4, ge=1, le=20, description="Passages that the model gets to read."
    )
    reasoning: Annotated[str, AfterValidator(_available_strategy)] = "direct"
    memory: Memory = Memory()
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(
        default=None, ge=1, description="Of an answer, unless the call says."
    )
    record: bool = Field(default=True, description="Keep a record of the app's calls.")

    @model_validator(mode="after")
    def _variables_are_known(self) -> AppSpec:
        known = {*BUILT_IN_VARIABLES, *self.variables}
        for name in _VARIABLE.findall(self.instructions):
            if name not in known:
                offered = ", ".join(f"{{{variable}}}" for variable in sorted(known))
                raise ValueError(
                    f"instructions use {{{name}}}, which is not a variable; variables: {offered}. "
                    f"Define it under 'variables'"
                )
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of everything said, the same for equal specs."""
        canonical = json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def rendered_instructions(self, app: str) -> str:
        """The instructions with their variables filled in."""
        values = {
            "app": app,
            "knowledge": ", ".join(self.knowledge),
            "today": datetime.date.today().isoformat(),
            **self.variables,
        }
        return _VARIABLE.sub(lambda match: values[match[1]], self.instructions)
