"""`/v1/hub`: the catalogue, what of it is here, and whether it fits this machine."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from headstart.api.deps import CurrentPrincipal, CurrentServices
from headstart.api.lists import ListOf
from headstart.hub.cards import Card, Task
from headstart.hub.fit import fit
from headstart.hub.hub import Hub
from headstart.hub.machine import Machine

router = APIRouter(tags=["hub"])


class ModelFit(BaseModel):
    """Whether a model can be served on this machine now; memory in bytes."""

    fits: bool
    needs: int
    free: int
    engine: str
    text: str


class HubModel(Card):
    """A model card, with what this machine makes of it."""

    id: str
    object: Literal["hub.model"] = "hub.model"
    installed: bool
    installed_variant: str | None
    fit: ModelFit


class HubMachine(BaseModel):
    object: Literal["machine"] = "machine"
    cpu: str
    cores: int
    memory_total: int
    memory_free: int
    disk_free: int
    accelerators: list[str]


@router.get("/v1/hub/models")
def list_hub_models(
    _principal: CurrentPrincipal,
    services: CurrentServices,
    task: Task | None = None,
    q: Annotated[str, Query(description="Words that the card must have.")] = "",
    installed: Annotated[bool | None, Query(description="Only what is, or is not, here.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    after: str | None = None,
) -> ListOf[HubModel]:
    """The models that can be deployed by name."""
    hub = services.hub
    machine = Machine.now(hub.store.folder)
    models = [_model(hub, card, machine) for card in hub.search(q, task)]
    models = [model for model in models if installed in (None, model.installed)]
    ids = [model.id for model in models]
    start = ids.index(after) + 1 if after in ids else 0
    page = models[start : start + limit]
    return ListOf.of(page, has_more=start + limit < len(models))


@router.get("/v1/hub/models/{name:path}")
def get_hub_model(name: str, _principal: CurrentPrincipal, services: CurrentServices) -> HubModel:
    """One model's card."""
    hub = services.hub
    return _model(hub, hub.card(name), Machine.now(hub.store.folder))


@router.get("/v1/hub/machine")
def get_hub_machine(_principal: CurrentPrincipal, services: CurrentServices) -> HubMachine:
    """The machine that the server runs on."""
    machine = Machine.now(services.hub.store.folder)
    return HubMachine(
        cpu=machine.cpu,
        cores=machine.cores,
        memory_total=machine.memory_total,
        memory_free=machine.memory_free,
        disk_free=machine.disk_free,
        accelerators=list(machine.accelerators),
    )


def _model(hub: Hub, card: Card, machine: Machine) -> HubModel:
    stored = hub.find(card.name)
    variant = hub.catalogue.variant(card, stored.variant if stored else None)
    fits = fit(card, variant, machine, installed=stored is not None)
    return HubModel(
        **{name: getattr(card, name) for name in Card.model_fields},
        id=card.name,
        installed=stored is not None,
        installed_variant=stored.variant if stored else None,
        fit=ModelFit(
            fits=fits.fits, needs=fits.needs, free=fits.free, engine=fits.engine, text=fits.text
        ),
    )
