"""The HTTP application: every router, the error envelope, request metrics."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute

from headstart import __version__
from headstart.api import (
    apps,
    chat,
    completions,
    console,
    conversations,
    embeddings,
    endpoints,
    errors,
    feedback,
    file_batches,
    files,
    health,
    hub,
    keys,
    models,
    records,
    session,
    vector_stores,
)
from headstart.api.metrics import RequestMetrics

_ROUTERS = [
    chat.router,
    completions.router,
    embeddings.router,
    models.router,
    files.router,
    vector_stores.router,
    file_batches.router,
    conversations.router,
    endpoints.router,
    hub.router,
    apps.router,
    records.router,
    feedback.router,
    keys.router,
    session.router,
    health.router,
    console.router,  # last: it answers whatever no route above did
]


def create_api() -> FastAPI:
    """The application without its services; `app.py` puts those on `state.services`."""
    api = FastAPI(
        title="Headstart",
        version=__version__,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        responses={"4XX": {"model": errors.ErrorEnvelope}},
    )
    errors.install(api)
    for router in _ROUTERS:
        api.include_router(router)
    api.add_middleware(RequestMetrics)
    return api


def _operation_id(route: APIRoute) -> str:
    return route.name
