"""`/v1/models`: every name that can be called, apps and endpoints alike."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from openai.types import Model
from pydantic import BaseModel

from headstart.api.deps import CurrentPrincipal, CurrentServices
from headstart.apps.models import Callable

router = APIRouter(tags=["models"])


class ModelDetails(BaseModel):
    kind: Literal["app", "endpoint"]
    task: str
    status: str
    context_length: int | None
    description: str


class CallableModel(Model):
    """OpenAI's model object, and what a picker wants to know."""

    headstart: ModelDetails


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[CallableModel]


@router.get("/v1/models", response_model=ModelList)
def list_models(_principal: CurrentPrincipal, services: CurrentServices) -> ModelList:
    return ModelList(data=[_shape(model) for model in services.models.list()])


@router.get("/v1/models/{name}", response_model=CallableModel)
def retrieve_model(
    name: str, _principal: CurrentPrincipal, services: CurrentServices
) -> CallableModel:
    return _shape(services.models.describe(name))


def _shape(model: Callable) -> CallableModel:
    return CallableModel(
        id=model.name,
        object="model",
        created=model.created_at,
        owned_by="headstart",
        headstart=ModelDetails(
            kind=model.kind,
            task=model.task,
            status=model.status,
            context_length=model.context_length,
            description=model.description,
        ),
    )
