"""Grounding: how often an app finds what is there, says so when it is not, and cites truly.

XQuAD's 240 English paragraphs go, one file each, into two knowledge stores, every other article
into each. A question asked of its own store has an answer there; asked of the other store, or a
question of another data set, it has none. The first table decides relevance alone (the endpoint
is the echo engine, so whatever is not refused counts as answered); the second is the bundled chat
model's whole answers. `python -m benchmarks.grounding [ANSWERS]` asks for so many of the latter.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tests.models import FOLDER
from tests.server import RunningServer, running_server

from headstart.apps.citations import NOT_FOUND

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
ANSWERS = 40
SEED = 7
AT_ONCE = 4
DECLARATION = """
[endpoints.echo]
model = "echo"
engine = "echo"
[endpoints.chat]
model = "qwen2.5-coder-0.5b-instruct"
[knowledge.even]
paths = ["even"]
[knowledge.odd]
paths = ["odd"]
[apps.relevant-even]
endpoint = "echo"
knowledge = ["even"]
[apps.relevant-odd]
endpoint = "echo"
knowledge = ["odd"]
[apps.even]
endpoint = "chat"
knowledge = ["even"]
[apps.odd]
endpoint = "chat"
knowledge = ["odd"]
"""


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    answer: str
    file: str
    half: str  # "even" | "odd": the store that has the answer

    @property
    def other_half(self) -> str:
        return "odd" if self.half == "even" else "even"


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    cited: list[str]  # file names

    @property
    def refused(self) -> bool:
        return NOT_FOUND.rstrip(".") in self.text

    def holds(self, gold: str) -> bool:
        return _plain(gold) in _plain(self.text)


def main() -> None:
    answers = int(sys.argv[1]) if len(sys.argv) > 1 else ANSWERS
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        questions = _write_documents(home)
        with running_server(home, DECLARATION, models=FOLDER) as server:
            asyncio.run(_print_relevance(server, questions))
            asyncio.run(_print_answers(server, questions, answers))


async def _print_relevance(server: RunningServer, questions: list[Question]) -> None:
    own = [(f"relevant-{each.half}", each.text) for each in questions]
    other = [(f"relevant-{each.other_half}", each.text) for each in questions]
    print("\n| asked | questions | answered | refused |\n|---|--:|--:|--:|")
    sets = {"its own store": own, "the other store": other}
    for name, texts in _off_topic().items():
        sets[name] = [("relevant-even", text) for text in texts]
    for name, asked in sets.items():
        refused = [answer.refused for answer in await _ask_all(server, asked, max_tokens=9)]
        share = sum(refused) / len(refused)
        print(f"| {name} | {len(asked)} | {1 - share:.1%} | {share:.1%} |", flush=True)


async def _print_answers(server: RunningServer, questions: list[Question], count: int) -> None:
    sample = random.Random(SEED).sample(questions, count)
    own = await _ask_all(server, [(each.half, each.text) for each in sample])
    other = await _ask_all(server, [(each.other_half, each.text) for each in sample])
    right = [each.holds(question.answer) for each, question in zip(own, sample, strict=True)]
    true = [question.file in each.cited for each, question in zip(own, sample, strict=True)]
    figures = {
        "has an answer: refused": [each.refused for each in own],
        "has an answer: the gold answer is in the text": right,
        "of those, cited": [bool(a.cited) for a, good in zip(own, right, strict=True) if good],
        "of those, the gold paragraph is cited": [t for t, r in zip(true, right, strict=True) if r],
        "has none: refused": [each.refused for each in other],
        "has none: answered with a citation": [bool(each.cited) for each in other],
    }
    print(f"\n| whole answers, {count} questions each | share |\n|---|--:|")
    for name, hits in figures.items():
        print(f"| {name} | {sum(hits)}/{len(hits)} |")
    if "--show" in sys.argv:
        for question, answer in zip(sample, own, strict=True):
            print(f"\nQ: {question.text}\ngold: {question.answer} ({question.file})")
            print(f"A: {answer.text}\ncited: {answer.cited}")


async def _ask_all(
    server: RunningServer, asked: Sequence[tuple[str, str]], max_tokens: int = 256
) -> list[Answer]:
    headers = {"Authorization": f"Bearer {server.key}"}
    at_once = asyncio.Semaphore(AT_ONCE)

    async def ask(model: str, question: str) -> Answer:
        messages = [{"role": "user", "content": question}]
        body = {"model": model, "messages": messages, "store": False, "max_tokens": max_tokens}
        async with at_once, session.post(url, json=body) as response:
            answer = await response.json()
            if response.status != 200:
                raise RuntimeError(answer["error"]["message"])
            message: dict[str, Any] = answer["choices"][0]["message"]
            cited = [each["file_citation"]["filename"] for each in message.get("annotations") or []]
            return Answer(message["content"], cited)

    url = f"{server.openai_url}/chat/completions"
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        return await asyncio.gather(*(ask(model, question) for model, question in asked))


def _write_documents(home: Path) -> list[Question]:
    """One Markdown file per paragraph; returns their questions."""
    questions: list[Question] = []
    articles = json.loads((DATA / "xquad" / "xquad.en.json").read_text())["data"]
    for number, article in enumerate(articles):
        half = ("even", "odd")[number % 2]
        (home / half).mkdir(parents=True, exist_ok=True)
        for place, paragraph in enumerate(article["paragraphs"]):
            file = f"{number:02}-{place}.md"
            (home / half / file).write_text(paragraph["context"])
            for each in paragraph["qas"]:
                gold = each["answers"][0]["text"]
                questions.append(Question(each["question"], gold, file, half))
    return questions


def _off_topic() -> dict[str, list[str]]:
    """Questions that have nothing to do with the paragraphs."""
    maths = _lines("gsm8k/train_first2000.jsonl", "question")
    claims = _lines("scifact/queries.jsonl", "text")
    tasks = json.loads((DATA / "llamafactory" / "alpaca_en_demo.json").read_text())
    instructions = [each["instruction"] for each in tasks if not each.get("input")]
    sets = {"GSM8K problems": maths, "SciFact claims": claims, "Alpaca tasks": instructions}
    return {name: random.Random(SEED).sample(texts, 300) for name, texts in sets.items()}


def _lines(path: str, key: str) -> list[str]:
    lines = (DATA / path).read_text().splitlines()
    return [json.loads(line)[key] for line in lines]


def _plain(text: str) -> str:
    return re.sub(r"\s*\[\d+\]|[^\w ]", "", text.lower())


if __name__ == "__main__":
    main()
