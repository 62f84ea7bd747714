"""The routes of files and vector stores on a real socket, over the stub embeddings."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx2
import openai
import uvicorn
from fastapi import FastAPI

from headstart.api import deps, errors, file_batches, files, vector_stores
from headstart.security.principal import Principal, Role
from tests.knowledge.stub import HashEndpoint, Stack, running_stack


@dataclass
class KnowledgeApi:
    """`role` is the role of whoever calls."""

    stack: Stack
    http: httpx2.AsyncClient
    openai: openai.AsyncOpenAI
    role: Role = Role.ADMIN


@asynccontextmanager
async def serve_knowledge(
    home: Path, endpoint: HashEndpoint | None = None, *, max_upload_bytes: int = 10_000_000
) -> AsyncIterator[KnowledgeApi]:
    """Serve until the block ends."""
    async with running_stack(home, endpoint) as stack:
        stack.files.max_bytes = max_upload_bytes
        app = FastAPI()
        errors.install(app)
        for module in (files, vector_stores, file_batches):
            app.include_router(module.router)
        app.state.services = SimpleNamespace(
            files=stack.files, stores=stack.stores, knowledge=stack.knowledge
        )
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{sock.getsockname()[1]}"
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
            serving = asyncio.create_task(server.serve([sock]))
            async with (
                httpx2.AsyncClient(base_url=url, timeout=30) as http,
                openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client,
            ):
                api = KnowledgeApi(stack, http, client)

                def caller() -> Principal:
                    return Principal("key_1", "test", api.role)

                app.dependency_overrides[deps._principal] = caller
                yield api
            server.should_exit = True
            await serving
