"""From a validated request to the jobs that answer it; what cannot be honoured is refused here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

from headstart.errors import BadRequest, ContextTooLong
from headstart.serving.requests import ChatRequest, CompletionRequest, Message
from headstart.serving.requests import Sampling as SamplingRequest
from headstart.serving.workers.base import Backend, Job, Sampling, Tools
from headstart.serving.workers.shapes import ChatShape, CompletionShape, Head


@dataclass(frozen=True, slots=True)
class Plan:
    """An answer to make."""

    head: Head
    shape: ChatShape | CompletionShape
    jobs: list[Job]  # one per choice
    stops: list[str]
    prompt_tokens: int
    stream: bool
    include_usage: bool


def plan_chat(backend: Backend, request: ChatRequest, model: str) -> Plan:
    _refuse_unsupported(backend, request)
    top = _top_logprobs(request)
    tools = read_tools(request)
    rendered = request.tools if tools is not None else None
    messages = template_messages(request.messages)
    text = backend.render(messages, rendered)
    prompt = backend.tokenize(text, special=True)
    sampling = _sampling(backend, request, prompt, request.token_limit, request.logprobs)
    jobs = [
        Job(prompt, _with_seed(sampling, index), request.response_format, tools)
        for index in range(request.n)
    ]
    head = Head(f"chatcmpl-{secrets.token_hex(12)}", model)
    shape = ChatShape(request.logprobs, top, text)
    return _plan(backend, head, shape, jobs, request, len(prompt))


def plan_completion(backend: Backend, request: CompletionRequest, model: str) -> Plan:
    _refuse_unsupported(backend, request)
    if request.suffix is not None:
        raise _unsupported("suffix", "this engine cannot fill in a middle")
    if request.best_of not in (None, request.n):
        raise _unsupported("best_of", f"only n ({request.n}) is possible")
    if request.logprobs:
        _check_top(request, request.logprobs, "logprobs")
    if request.echo and request.logprobs is not None:
        raise _unsupported("logprobs", "log-probabilities of the prompt (echo) are not known")
    prompts = _prompts(backend, request)
    jobs = []
    for prompt in prompts:
        wanted = request.logprobs is not None
        sampling = _sampling(backend, request, prompt, request.max_tokens or 16, wanted)
        jobs += [Job(prompt, _with_seed(sampling, index)) for index in range(request.n)]
    echoes = [backend.detokenize(job.prompt) if request.echo else "" for job in jobs]
    head = Head(f"cmpl-{secrets.token_hex(12)}", model)
    shape = CompletionShape(request.logprobs, echoes)
    return _plan(backend, head, shape, jobs, request, sum(map(len, prompts)))


def template_messages(messages: list[Message]) -> list[dict[str, Any]]:
    """Messages as chat templates expect them: text content, no fields that are not set."""
    return [
        {**message.model_dump(exclude={"content"}, exclude_none=True), "content": message.text}
        for message in messages
    ]


def read_tools(request: ChatRequest) -> Tools | None:
    """The functions that the model may call. Raises `BadRequest` for malformed ones."""
    if not request.tools or request.tool_choice == "none":
        return None
    functions = [_function(index, tool) for index, tool in enumerate(request.tools)]
    parallel = request.parallel_tool_calls is not False
    choice = request.tool_choice
    if choice in (None, "auto", "required"):
        return Tools(functions, choice == "required", parallel)
    name = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    chosen = [function for function in functions if function["name"] == name]
    if not chosen:
        raise BadRequest(
            f"tool_choice is {choice!r}; it must be 'none', 'auto', 'required' or "
            '{"type": "function", "function": {"name": …}} with the name of one of the tools',
            param="tool_choice",
        )
    return Tools(chosen, True, parallel)


def _function(index: int, tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if tool.get("type") != "function" or not isinstance(function, dict):
        raise BadRequest(f"tools[{index}] is not of type 'function'", param=f"tools[{index}]")
    if not isinstance(function.get("name"), str) or not function["name"]:
        raise BadRequest(f"tools[{index}].function has no name", param=f"tools[{index}]")
    if not isinstance(function.get("parameters", {}), dict):
        raise BadRequest(
            f"tools[{index}].function.parameters is not a JSON schema", param=f"tools[{index}]"
        )
    return function


def _plan(
    backend: Backend,
    head: Head,
    shape: ChatShape | CompletionShape,
    jobs: list[Job],
    request: SamplingRequest,
    prompt_tokens: int,
) -> Plan:
    for job in jobs:
        backend.check(job)
    options = request.stream_options
    return Plan(
        head,
        shape,
        jobs,
        request.stop or [],
        prompt_tokens,
        request.stream,
        bool(options and options.include_usage),
    )


def _sampling(
    backend: Backend,
    request: SamplingRequest,
    prompt: list[int],
    limit: int | None,
    logprobs: bool,
) -> Sampling:
    room = backend.context_length - len(prompt)
    if room < 1:
        raise ContextTooLong(len(prompt), backend.context_length)
    return Sampling(
        max_tokens=min(limit or room, room),
        temperature=request.temperature,
        top_p=request.top_p,
        seed=request.seed,
        presence_penalty=request.presence_penalty or 0.0,
        frequency_penalty=request.frequency_penalty or 0.0,
        logprobs=logprobs,
    )


def _with_seed(sampling: Sampling, index: int) -> Sampling:
    """The sampling of the nth choice: its own seed, so that the choices differ and repeat."""
    if sampling.seed is None or not index:
        return sampling
    return replace(sampling, seed=sampling.seed + index)


def _prompts(backend: Backend, request: CompletionRequest) -> list[list[int]]:
    given = request.prompt
    if isinstance(given, str):
        return [backend.tokenize(given, special=True)]
    if not given:
        raise BadRequest("prompt is an empty list", param="prompt")
    if isinstance(given[0], int):
        return [_ids(given)]
    return [
        backend.tokenize(item, special=True) if isinstance(item, str) else _ids(item)
        for item in given
    ]


def _ids(given: Any) -> list[int]:
    if not given or not all(isinstance(token, int) for token in given):
        raise BadRequest("prompt must be text or a list of token ids", param="prompt")
    return list(given)


def _top_logprobs(request: ChatRequest) -> int:
    if not request.top_logprobs:
        return 0
    if not request.logprobs:
        raise BadRequest("top_logprobs needs logprobs to be true", param="top_logprobs")
    _check_top(request, request.top_logprobs, "top_logprobs")
    return request.top_logprobs


def _check_top(request: SamplingRequest, top: int, param: str) -> None:
    """At temperature 0 the chosen token is the most probable one; its rivals are not known."""
    if top > 1 or request.temperature != 0:
        raise _unsupported(
            param,
            f"{top} is not possible: the log-probability of the chosen token alone is known "
            "(1 is possible at temperature 0)",
        )


def _refuse_unsupported(backend: Backend, request: SamplingRequest) -> None:
    for name in sorted(backend.unsupported):
        if getattr(request, name, None):
            raise _unsupported(name, "this engine cannot honour it")


def _unsupported(param: str, why: str) -> BadRequest:
    return BadRequest(f"'{param}': {why}.", param=param, code="unsupported_parameter")
