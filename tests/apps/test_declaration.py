from __future__ import annotations

import re
from pathlib import Path

import pytest

from headstart.apps.declaration import EndpointSpec, KnowledgeSpec, default, load
from headstart.apps.spec import AppSpec
from headstart.errors import SettingsError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "apps.md"

GOOD = """
[server]
port = 9000

[endpoints.chat]
model = "qwen2.5-coder-0.5b-instruct"
idle_timeout = "1h30m"
options = { threads = 2 }

[knowledge.handbook]
paths = ["docs/"]

[apps.support]
endpoint = "chat"
instructions = "prompts/support.md"
variables = { team = "Ops" }
knowledge = ["handbook"]
reasoning = "direct"
memory = { strategy = "window", max_tokens = 900 }
guardrails = []
record = false
"""


def write(folder: Path, text: str) -> Path:
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "prompts").mkdir(exist_ok=True)
    (folder / "prompts" / "support.md").write_text("You help {team} with {knowledge}.\n")
    file = folder / "headstart.toml"
    file.write_text(text)
    return file


def test_a_whole_file(tmp_path: Path) -> None:
    declaration = load(write(tmp_path, GOOD))

    chat = declaration.endpoints["chat"]
    assert (chat.model, chat.engine, chat.idle_timeout) == (
        "qwen2.5-coder-0.5b-instruct",
        "auto",
        5400.0,
    )
    assert declaration.knowledge["handbook"].paths == [str(tmp_path / "docs")]
    support = declaration.apps["support"]
    assert support.instructions == "You help {team} with {knowledge}.\n"
    assert support.rendered_instructions("support") == "You help Ops with handbook.\n"
    assert (support.memory.max_tokens, support.record) == (900, False)
    assert declaration.is_from_file


def test_knowledge_brings_the_bundled_embeddings(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD)).endpoints["embeddings"].model == "all-minilm-l6-v2"
    own = GOOD + '\n[endpoints.embeddings]\nmodel = "bge-small-en-v1.5"\n'
    assert load(write(tmp_path, own)).endpoints["embeddings"].model == "bge-small-en-v1.5"
    assert load(write(tmp_path, '[endpoints.chat]\nmodel = "x"')).endpoints.keys() == {"chat"}


def test_the_file_of_the_documentation_is_a_good_one(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = write(tmp_path, blocks[0])
    (tmp_path / "prompts" / "support.md").write_text("You answer from {knowledge}.")
    declaration = load(file)
    assert declaration.apps.keys() == {"support"}
    template = load(write(tmp_path, ENDPOINT + blocks[1])).apps["support"]
    assert "customers of Acme" in template.rendered_instructions("support")


def test_every_key_is_in_the_documentation() -> None:
    page = PAGE.read_text()
    for table in (EndpointSpec, KnowledgeSpec, AppSpec):
        for key in table.model_fields:
            assert f"| `{key}` |" in page, key


def test_an_empty_file_declares_nothing(tmp_path: Path) -> None:
    declaration = load(write(tmp_path, ""))
    assert not declaration.endpoints
    assert not declaration.knowledge
    assert not declaration.apps


@pytest.mark.parametrize(
    ("value", "seconds"), [('"90s"', 90), ('"30m"', 1800), ('"2h"', 7200), ("45", 45), ("0.5", 0.5)]
)
def test_durations(tmp_path: Path, value: str, seconds: float) -> None:
    file = write(tmp_path, f'[endpoints.chat]\nmodel = "x"\nidle_timeout = {value}')
    assert load(file).endpoints["chat"].idle_timeout == seconds


ENDPOINT = '[endpoints.chat]\nmodel = "x"\n'
APP = ENDPOINT + '[apps.a]\nendpoint = "chat"\n'
FAULTS = {
    '[endpoint.chat]\nmodel = "x"': "unknown key 'endpoint'; did you mean 'endpoints'?",
    '[endpoints.chat]\nmodle = "x"': "[endpoints.chat] unknown key 'modle'; did you mean 'model'?",
    "[endpoints.chat]": "[endpoints.chat] 'model' is missing",
    "[endpoints.chat]\nmodel = 3": "[endpoints.chat] model: must be text in quotes",
    "[endpoints]\nchat = 3": "[endpoints] chat: must be a table",
    ENDPOINT + 'idle_timeout = "soon"': "idle_timeout: 'soon' is not a duration; write",
    ENDPOINT + "idle_timeout = -1": "idle_timeout: -1 is not a duration",
    ENDPOINT + "idle_timeout = true": "idle_timeout: True is not a duration",
    '[endpoints."my chat"]\nmodel = "x"': "'my chat' cannot be a name",
    '[knowledge.k]\npaths = "docs"': "[knowledge.k] paths: must be a list",
    '[knowledge.k]\npaths = ["nowhere"]': "nowhere' does not exist",
    '[apps.a]\nendpoint = "chat"': "[apps.a] endpoint: no [endpoints.chat] in this file",
    ENDPOINT + '[apps.a]\nendpoint = "caht"': "did you mean 'chat'?",
    ENDPOINT + '[apps.chat]\nendpoint = "chat"': "an endpoint is called 'chat' too",
    APP + 'knowledge = ["k"]': "[apps.a] knowledge: no [knowledge.k] in this file",
    APP + 'knowledge = "k"': "[apps.a] knowledge: must be a list",
    APP + "passages = 0": "[apps.a] passages: should be greater than or equal to 1, not 0",
    APP + 'passages = "4"': "[apps.a] passages: must be a whole number",
    APP + "temperature = 3": "[apps.a] temperature: should be less than or equal to 2",
    APP + 'record = "no"': "[apps.a] record: must be true or false",
    APP
    + 'reasoning = "react"': "[apps.a] reasoning: 'react' is not available; available: 'direct'",
    APP + 'memory = { strategy = "summary" }': (
        "[apps.a.memory] strategy: 'summary' is not available; available: 'window'"
    ),
    APP + 'guardrails = ["pii"]': "[apps.a] guardrails: 'pii' not available",
    APP + 'instructions = "prompts/none.md"': "none.md': No such file",
    APP
    + 'instructions = "You are {role}."': "[apps.a] instructions use {role}, which is not a var",
    "[endpoints.chat\n": "cannot read",
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.items())
def test_faults_name_file_table_key_and_what_is_allowed(
    tmp_path: Path, text: str, expected: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert str(file) in caught.value.message
    assert expected in caught.value.message


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = '[endpoints.chat]\n[apps.a]\nendpoint = "chat"\npasages = 3\nguardrails = ["x"]'
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, text))
    assert len(caught.value.message.splitlines()) == 3


def test_instructions_that_are_no_file_name_are_taken_as_they_are(tmp_path: Path) -> None:
    text = APP + 'instructions = """Answer about README.md.\nReply in JSON: {"a": 1}, {app}."""'
    app = load(write(tmp_path, text)).apps["a"]
    assert app.rendered_instructions("a") == 'Answer about README.md.\nReply in JSON: {"a": 1}, a.'


def test_a_template_file_that_is_not_text(tmp_path: Path) -> None:
    file = write(tmp_path, APP + 'instructions = "prompts/bad.md"')
    (tmp_path / "prompts" / "bad.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load(file)


def test_the_default_is_an_app_over_the_paths(tmp_path: Path) -> None:
    declaration = default([tmp_path])
    assert declaration.endpoints["chat"].model == "qwen2.5-coder-0.5b-instruct"
    assert declaration.endpoints["embeddings"].model == "all-minilm-l6-v2"
    assert declaration.knowledge["docs"].paths == [str(tmp_path)]
    assert declaration.apps["docs"].knowledge == ["docs"]
    assert not declaration.is_from_file


def test_the_default_without_paths_is_fed_by_upload() -> None:
    assert default().knowledge["docs"].paths == []


def test_the_default_refuses_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere' does not exist"):
        default([tmp_path / "nowhere"])
