from __future__ import annotations

import json

import pytest

from headstart.errors import BadRequest
from headstart.serving.workers.templates import ChatTemplate

HELLO = [{"role": "user", "content": "Grüße"}]


def test_a_model_without_a_template_gets_chatml() -> None:
    expected = "<|im_start|>user\nGrüße<|im_end|>\n<|im_start|>assistant\n"
    assert ChatTemplate(None).render(HELLO) == expected


def test_tools_and_special_tokens_reach_the_template() -> None:
    template = ChatTemplate("{{ bos_token }}{{ tools | tojson }}", bos="<s>")
    assert template.render(HELLO, [{"name": "ü"}]) == '<s>[{"name": "ü"}]'


def test_arguments_of_calls_are_objects() -> None:
    template = ChatTemplate("{{ messages[0].tool_calls[0].function.arguments | tojson }}")
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    assert json.loads(template.render([{"role": "assistant", "tool_calls": [call]}])) == {"a": 1}


def test_a_template_may_refuse_with_its_own_words() -> None:
    template = ChatTemplate("{{ raise_exception('roles must alternate') }}")
    with pytest.raises(BadRequest, match="roles must alternate") as refused:
        template.render(HELLO)
    assert refused.value.param == "messages"


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ messages.append(1) }}",
    ],
)
def test_a_template_cannot_reach_out_of_its_sandbox(source: str) -> None:
    with pytest.raises(BadRequest):
        ChatTemplate(source).render(HELLO)
