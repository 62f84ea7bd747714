"""The transport: event streams in any slicing, and errors of workers of any kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from yarl import URL

from headstart.errors import BadRequest, ContextTooLong, HeadstartError, Unavailable
from headstart.serving import worker_client
from headstart.serving.replica import free_port

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[URL]:
    """A server that answers every connection with these pieces, a packet each, and closes it."""

    served: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
        except ConnectionError:
            pass  # the client has gone
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield URL(f"http://127.0.0.1:{port}/")
        await asyncio.gather(*(task for task in served if task is not None))


async def payloads(*pieces: bytes) -> list[bytes]:
    async with (
        answering(*pieces) as url,
        worker_client.new_session() as session,
        await worker_client.post(session, url, {}, b"{}") as response,
    ):
        return [payload async for payload in worker_client.events(response)]


def whole(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


async def refusal(status: str, body: bytes) -> HeadstartError:
    async with answering(whole(status, body)) as url, worker_client.new_session() as session:
        with pytest.raises(HeadstartError) as error:
            await worker_client.post(session, url, {}, b"{}")
        return error.value


async def test_events_arrive_whole_however_they_are_cut() -> None:
    text = 'data: {"a":"ä"}\n\ndata: {"b":2}\r\n\r\n: a comment\n\ndata:{"c":3}\n\ndata: [DONE]\n\n'
    expected = ['{"a":"ä"}'.encode(), b'{"b":2}', b'{"c":3}']
    stream = text.encode()
    assert await payloads(HEAD + stream) == expected
    assert await payloads(HEAD, *(stream[i : i + 1] for i in range(len(stream)))) == expected


async def test_a_stream_without_its_end_is_a_broken_one() -> None:
    with pytest.raises(worker_client.Disconnected):
        await payloads(HEAD + b'data: {"a":1}\n\n')
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\ndata: {"
    with pytest.raises(worker_client.Disconnected):
        await payloads(chunked)


@pytest.mark.parametrize(
    "event", [b'data: {"error":{"message":"no","code":500}}\n\n', b'error: {"message":"no"}\n\n']
)
async def test_error_events_are_raised(event: bytes) -> None:
    with pytest.raises(HeadstartError, match="no") as error:
        await payloads(HEAD + b'data: {"a":1}\n\n' + event)
    assert error.value.status == 500


async def test_nobody_listens() -> None:
    async with worker_client.new_session() as session:
        with pytest.raises(worker_client.NotConnected):
            await worker_client.post(session, URL(f"http://127.0.0.1:{free_port()}/"), {}, b"{}")


async def test_a_connection_that_closes_without_an_answer() -> None:
    async with answering(b"") as url, worker_client.new_session() as session:
        with pytest.raises(worker_client.Disconnected):
            await worker_client.post(session, url, {}, b"{}")


async def test_refusals_of_workers() -> None:
    error = await refusal(
        "400 Bad Request",
        b'{"error":{"code":400,"type":"exceed_context_size_error","message":"too long",'
        b'"n_prompt_tokens":9000,"n_ctx":4096}}',
    )
    assert isinstance(error, ContextTooLong)
    assert (error.prompt_tokens, error.context_length) == (9000, 4096)
    error = await refusal(
        "422 Unprocessable", b'{"error":{"message":"x is odd","param":"x","code":"odd"}}'
    )
    assert isinstance(error, BadRequest)
    assert (error.message, error.param, error.code) == ("x is odd", "x", "odd")
    error = await refusal("503 Service Unavailable", b'{"error":{"message":"loading"}}')
    assert isinstance(error, Unavailable)
    error = await refusal("500 Internal Server Error", b"<html>Traceback</html>")
    assert (error.status, "Traceback" in error.message) == (500, True)
    error = await refusal("404 Not Found", b'{"detail":"Not Found"}')
    assert isinstance(error, BadRequest)
    error = await refusal("500 Internal Server Error", b'["odd"]')
    assert error.status == 500


async def test_the_session_waits_for_slow_answers() -> None:
    async with worker_client.new_session() as session:
        assert session.timeout.total is None
        assert session.timeout.sock_read is None
        assert isinstance(session.timeout, aiohttp.ClientTimeout)
