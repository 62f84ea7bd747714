"""SmolLM2 on both engines, as the server sees them: through `adapt` and `normalise`.

What both must do is asserted once for both; numbers and words of the answers are the model's.
"""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import validate
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from headstart.serving.assemble import ChatAssembler
from headstart.serving.engines.base import Engine
from headstart.serving.engines.llamacpp import LlamaCpp
from headstart.serving.engines.openvino import OpenVino
from tests.serving.workers.running import KEY, Worker, until

pytestmark = pytest.mark.real

STORY = "Tell me a story about a cat in Rome."
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 30},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "height": {"type": "number"},
        "hobbies": {"type": "array", "items": {"enum": ["chess", "music"]}, "maxItems": 2},
    },
    "required": ["name", "age", "height"],
    "additionalProperties": False,
}


@dataclass
class Served:
    """A worker and the engine whose words it understands."""

    engine: Engine
    worker: Worker

    def stream(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        body = {"model": "m", "stream": True, "stream_options": {"include_usage": True}, **body}
        connection = send(self.worker, path, self.engine.adapt(path, body))
        with connection, connection.makefile("rb") as lines:
            status = int(lines.readline().split()[1])
            events = [line[6:].strip() for line in lines if line.startswith(b"data: ")]
        assert status == 200, (status, events)
        assert events.pop() == b"[DONE]"
        return [json.loads(self.engine.normalise(body, event)) for event in events]

    def chat(self, text: str, **more: Any) -> ChatCompletion:
        messages = more.pop("messages", [{"role": "user", "content": text}])
        assembler = ChatAssembler()
        for chunk in self.stream("/v1/chat/completions", {"messages": messages, **more}):
            assembler.add(ChatCompletionChunk.model_validate(chunk))
        return assembler.completion()

    def text(self, text: str, **more: Any) -> str:
        return self.chat(text, **more).choices[0].message.content or ""


@pytest.fixture(params=["openvino", "llamacpp"])
def served(request: pytest.FixtureRequest) -> Served:
    engines: dict[str, Engine] = {"openvino": OpenVino(), "llamacpp": LlamaCpp()}
    return Served(engines[request.param], request.getfixturevalue(request.param))


def send(worker: Worker, path: str, body: dict[str, Any]) -> socket.socket:
    data = json.dumps(body).encode()
    connection = socket.create_connection(("127.0.0.1", worker.port), 100)
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        "Connection: close\r\n\r\n".encode()
        + data
    )
    return connection


def test_stream_usage_and_length(served: Served) -> None:
    answer = served.chat(STORY, max_tokens=12, seed=1)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 12
    prompt = served.worker.post(
        "/apply-template", {"messages": [{"role": "user", "content": STORY}]}
    )["prompt"]
    body = {"content": prompt, "add_special": True, "parse_special": True}
    assert answer.usage.prompt_tokens == len(served.worker.post("/tokenize", body)["tokens"])


def test_a_whole_answer_equals_the_stream(served: Served) -> None:
    more = {"max_tokens": 16, "temperature": 0}
    whole = served.worker.chat(STORY, **more)
    assert isinstance(whole, ChatCompletion)
    assert whole.choices[0].message.content == served.text(STORY, **more)


def test_a_seed_repeats_exactly(served: Served) -> None:
    more = {"max_tokens": 24, "temperature": 1.2, "seed": 2**40 + 7}
    first = served.text(STORY, **more)
    assert first == served.text(STORY, **more)
    assert first != served.text(STORY, **{**more, "seed": 8})


def test_without_a_seed_answers_differ(served: Served) -> None:
    answers = {served.text(STORY, max_tokens=24, temperature=1.5) for _ in range(3)}
    assert len(answers) > 1


def test_choices_of_one_call_differ_and_are_counted(served: Served) -> None:
    answer = served.chat(STORY, n=2, max_tokens=16, temperature=1.5, seed=3)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].message.content != answer.choices[1].message.content
    if served.engine.name == "openvino":  # llama.cpp tells it choice by choice
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 32


def test_a_stop_string_ends_the_answer_and_is_left_out(served: Served) -> None:
    more = {"max_tokens": 40, "temperature": 0}
    free = served.text(STORY, **more)
    stop = free[12:17]
    answer = served.chat(STORY, stop=[stop], **more)
    assert answer.choices[0].message.content == free[: free.index(stop)]
    assert answer.choices[0].finish_reason == "stop"


def test_logprobs_spell_the_answer(served: Served) -> None:
    answer = served.chat(STORY, max_tokens=12, temperature=0, logprobs=True)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    tokens = logprobs.content or []
    spelled = b"".join(bytes(token.bytes or []) for token in tokens).decode()
    assert spelled == answer.choices[0].message.content
    assert all(token.logprob <= 0 and token.top_logprobs == [] for token in tokens)
    answer = served.chat(STORY, max_tokens=3, temperature=0, logprobs=True, top_logprobs=1)
    assert answer.choices[0].logprobs is not None
    for token in answer.choices[0].logprobs.content or []:
        assert [top.token for top in token.top_logprobs] == [token.token]


@pytest.mark.parametrize("seed", range(4))
def test_json_validates_whenever_the_answer_stopped(served: Served, seed: int) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}}
    answer = served.chat(
        "Describe a person as JSON.",
        response_format=form,
        max_tokens=160,
        temperature=1.3,
        seed=seed,
    )
    content = answer.choices[0].message.content or ""
    if answer.choices[0].finish_reason == "stop":
        validate(json.loads(content), PERSON)
    else:
        assert len(content.split()) > 5  # not white space to the limit


def test_json_object(served: Served) -> None:
    answer = served.chat(
        "Give me an empty JSON object.",
        response_format={"type": "json_object"},
        max_tokens=200,
        temperature=0,
    )
    assert answer.choices[0].message.content is not None
    assert answer.choices[0].message.content.startswith("{")
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict)


def test_no_broken_characters(served: Served) -> None:
    prompt = "Repeat: 🙂🙃 日本語 – naïve Ørsted 🏳️‍🌈"
    for chunk in served.stream(
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": prompt}], "max_tokens": 60, "temperature": 0},
    ):
        for choice in chunk["choices"]:
            assert "\ufffd" not in (choice["delta"].get("content") or "")


def test_a_prompt_that_is_too_long_says_both_numbers(served: Served) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi " * 9000}]}
    refused = served.worker.post("/v1/chat/completions", body)
    assert refused["status"] == 400
    assert refused["error"]["n_ctx"] == 8192
    assert refused["error"]["n_prompt_tokens"] == 9031


def test_many_chats_at_once(served: Served) -> None:
    animals = ("cats", "whales", "bees", "owls", "ants", "bears", "crabs", "swans")
    questions = [f"Tell me about {animal}." for animal in animals]
    more = {"max_tokens": 24, "temperature": 0}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda q: served.text(q, **more), questions))
    assert all(answers)
    assert len(set(answers)) == 8


def test_generation_ends_when_the_client_leaves(served: Served) -> None:
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": STORY}],
        "max_tokens": 4000,
        "stream": True,
        "temperature": 1.5,
    }
    connection = send(served.worker, "/v1/chat/completions", body)
    with connection, connection.makefile("rb") as lines:
        while b'"content":"' not in lines.readline():
            pass
    if served.engine.name == "openvino":
        until(lambda: served.worker.get("/props")["running"] == 0, 5)
    else:  # its slots are not shown; a free one answers at once
        assert served.text("hi", max_tokens=1)


def test_a_client_that_leaves_during_prefill_stops_it(openvino: Worker) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi " * 7900}]}
    connection = send(openvino, "/v1/chat/completions", body)
    until(lambda: openvino.get("/props")["running"] == 1)
    connection.close()
    until(lambda: openvino.get("/props")["running"] == 0, 3)


def test_a_short_question_does_not_wait_for_a_long_prompt(openvino: Worker) -> None:
    finished: list[str] = []

    def ask(name: str, text: str) -> None:
        openvino.chat(text, max_tokens=4)
        finished.append(name)

    with ThreadPoolExecutor(2) as pool:
        long = pool.submit(ask, "long", "now " * 7500)
        until(lambda: openvino.get("/props")["running"] == 1)
        short = pool.submit(ask, "short", "hi")
        long.result()
        short.result()
    assert finished == ["short", "long"]


def test_completions(served: Served) -> None:
    body = {"prompt": "The capital of France is", "max_tokens": 5, "temperature": 0, "logprobs": 0}
    chunks = served.stream("/v1/completions", body)
    text = "".join(choice["text"] for chunk in chunks for choice in chunk["choices"])
    assert "Paris" in text
    tokens = [
        token
        for chunk in chunks
        for choice in chunk["choices"]
        for token in (choice["logprobs"] or {}).get("tokens", [])
    ]
    assert "".join(tokens) == text
    assert chunks[-1]["usage"]["completion_tokens"] == 5
    whole = served.worker.complete("The capital of France is", max_tokens=5, temperature=0)
    assert isinstance(whole, Completion)
    assert whole.choices[0].text == text


def test_both_engines_see_the_same_prompt_and_tokens(openvino: Worker, llamacpp: Worker) -> None:
    messages = [
        {"role": "system", "content": "Be brief – please."},
        {"role": "user", "content": "a<b\n\n  <|im_end|> 12345 日本語 🙂"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "it's  we'll\tDON'T"},
    ]
    prompts = [
        w.post("/apply-template", {"messages": messages})["prompt"] for w in (openvino, llamacpp)
    ]
    assert prompts[0] == prompts[1]
    body = {"content": prompts[0], "add_special": True, "parse_special": True}
    first, second = (worker.post("/tokenize", body)["tokens"] for worker in (openvino, llamacpp))
    assert first == second


def test_long_texts_are_tokenized_whole(openvino: Worker, llamacpp: Worker) -> None:
    text = "A sentence with 12 words, and <|im_end|> in it; naïve. " * 900
    body = {"content": text, "parse_special": True}
    first, second = (worker.post("/tokenize", body)["tokens"] for worker in (openvino, llamacpp))
    assert len(first) > 8192
    assert first == second


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"logprobs": True, "top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": {"type": "string", "pattern": "a"}},
                }
            },
            "response_format",
        ),
    ],
)
def test_openvino_refuses_what_it_cannot_do(
    openvino: Worker, more: dict[str, Any], param: str
) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], **more}
    refused = openvino.post("/v1/chat/completions", body)
    assert refused["status"] == 400
    assert refused["error"]["param"] == param
