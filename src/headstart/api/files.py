"""`/v1/files`: upload, list, read and delete files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from openai.types import FileDeleted, FileObject
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect
from starlette.types import Message

from headstart.api.deps import AdminPrincipal, CurrentPrincipal, CurrentServices
from headstart.errors import BadRequest
from headstart.knowledge.files import PURPOSES
from headstart.storage.objects import PIECE
from headstart.storage.paging import Order
from headstart.storage.tables import FileRow

router = APIRouter(tags=["files"])

_FORM_BYTES = 2**16  # what a form may have besides the file
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": list(PURPOSES)},
                    },
                }
            }
        },
    }
}

Limit = Annotated[int, Query(ge=1, le=10_000)]


class FileList(BaseModel):
    object: Literal["list"] = "list"
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


@router.post("/v1/files", openapi_extra=_FORM)
async def create_file(
    request: Request, _principal: AdminPrincipal, services: CurrentServices
) -> FileObject:
    """Upload a file (multipart: `file`, `purpose`)."""
    limited = _Limited(request, services.files.max_bytes)
    try:
        async with limited.form(max_files=1, max_fields=8) as form:
            for field in form:
                if field not in ("file", "purpose"):
                    raise BadRequest(f"{field}: this parameter is not supported", param=field)
            upload, purpose = form.get("file"), form.get("purpose")
            if not isinstance(upload, UploadFile):
                raise BadRequest("file: send the file as a part of the form", param="file")
            if not isinstance(purpose, str):
                raise BadRequest("purpose: say what the file is for", param="purpose")
            row = await asyncio.to_thread(
                services.files.create,
                upload.filename or "file",
                upload.file,
                purpose,
            )
    except ClientDisconnect as error:
        raise BadRequest("file: the upload ended before it was complete", param="file") from error
    return file_object(row)


@router.get("/v1/files")
def list_files(
    _principal: CurrentPrincipal,
    services: CurrentServices,
    purpose: str | None = None,
    limit: Limit = 10_000,
    order: Order = "desc",
    after: str | None = None,
) -> FileList:
    """Files, newest first."""
    page = services.files.list(purpose, after=after, limit=limit, order=order)
    ids = [row.id for row in page.data]
    return FileList(
        data=[file_object(row) for row in page.data],
        first_id=ids[0] if ids else None,
        last_id=ids[-1] if ids else None,
        has_more=page.has_more,
    )


@router.get("/v1/files/{file_id}")
def get_file(file_id: str, _principal: CurrentPrincipal, services: CurrentServices) -> FileObject:
    return file_object(services.files.get(file_id))


@router.delete("/v1/files/{file_id}")
async def delete_file(
    file_id: str, _principal: AdminPrincipal, services: CurrentServices
) -> FileDeleted:
    """Delete a file, also from every vector store that has it."""
    await services.knowledge.delete_file(file_id)
    return FileDeleted(id=file_id, deleted=True, object="file")


@router.get(
    "/v1/files/{file_id}/content",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def get_file_content(
    file_id: str, _principal: CurrentPrincipal, services: CurrentServices
) -> StreamingResponse:
    """The file's bytes, as a download: a browser must not run what someone uploaded."""
    row = services.files.get(file_id)
    headers = {
        "Content-Length": str(row.bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.filename, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    stream = services.files.open(file_id)
    return StreamingResponse(
        _pieces(stream), media_type="application/octet-stream", headers=headers
    )


def file_object(row: FileRow) -> FileObject:
    return FileObject.model_validate(
        {
            "id": row.id,
            "object": "file",
            "bytes": row.bytes,
            "created_at": row.created_at,
            "filename": row.filename,
            "purpose": row.purpose,
            "status": "processed",
        }
    )


class _Limited(Request):
    """A request whose body is refused as soon as it cannot hold an allowed file any more."""

    def __init__(self, request: Request, limit: int) -> None:
        self._left = limit + _FORM_BYTES
        self._limit = limit
        self._unlimited = request.receive
        super().__init__(request.scope, self._receive_limited)
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._left:
            raise self._too_large()

    async def _receive_limited(self) -> Message:
        message = await self._unlimited()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._too_large()
        return message

    def _too_large(self) -> BadRequest:
        return BadRequest(
            f"The file is larger than the limit of {self._limit} bytes (setting max_upload_bytes).",
            param="file",
            code="too_large",
        )


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(PIECE):
            yield piece
