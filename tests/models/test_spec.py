import shlex

import pytest

from metaspo import ModelSpec
from metaspo.domain.errors import ModelError
from metaspo.domain.redaction import redact


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("openai:gpt-4o-mini", {"provider": "openai", "name": "gpt-4o-mini"}),
        ("local:smollm2,max_tokens=160,seed=3", {"provider": "local", "name": "smollm2", "max_tokens": 160, "seed": 3}),
        ("local:/models/my model.gguf", {"provider": "local", "name": "/models/my model.gguf"}),
        (
            "server:org/name:tag,base_url=http://127.0.0.1:8000/v1/",
            {"name": "org/name:tag", "base_url": "http://127.0.0.1:8000/v1"},
        ),
        ("scripted:my.module:function", {"provider": "scripted", "name": "my.module:function"}),
        (
            "vllm:m,base_url=http://a:1/v1/+http://b:2/v1",
            {"base_url": "http://a:1/v1+http://b:2/v1", "base_urls": ["http://a:1/v1", "http://b:2/v1"]},
        ),
        (
            "vllm:org/m,serve=auto,context=3000,tensor_parallel=2,flags=--dtype bfloat16 --quantization=fp8",
            {"serve": "auto", "context": 3000, "tensor_parallel": 2, "flags": "--dtype bfloat16 --quantization=fp8"},
        ),
        (
            "openai:o,temperature=0.5,input_price=1.5,output_price=0,concurrency=64",
            {"temperature": 0.5, "input_price": 1.5, "output_price": 0, "concurrency": 64},
        ),
    ],
)
def test_string_form(text: str, fields: dict[str, object]) -> None:
    spec = ModelSpec.parse(text)
    assert {key: getattr(spec, key) for key in fields} == fields
    assert ModelSpec.parse(str(spec)) == spec


def test_lists_in_the_mapping_form_are_joined() -> None:
    block = {"provider": "vllm", "name": "m", "base_url": ["http://a:1/v1", "http://b:2/v1/"]}
    assert ModelSpec.parse(block) == ModelSpec.parse("vllm:m,base_url=http://a:1/v1+http://b:2/v1")
    flagged = ModelSpec.parse({"provider": "vllm", "name": "m", "flags": ["--hf-overrides", '{"a": 1, "b": "c d"}']})
    assert shlex.split(flagged.flags or "") == ["--hf-overrides", '{"a": 1, "b": "c d"}']


def test_the_mapping_form_has_the_same_keys() -> None:
    block = {"provider": "server", "name": "llama", "base_url": "http://h:1/v1", "timeout": 5}
    assert ModelSpec.parse(block) == ModelSpec.parse("server:llama,base_url=http://h:1/v1,timeout=5")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gpt-4o-mini", "the form is provider:name"),
        ("azure:x", "did you mean azure_openai. it is one of openai, server"),
        ("openai:", "name"),
        ("server:llama", "needs base_url"),
        ("server:llama,base_url=localhost:8000", "base_url is http://"),
        ("local:smollm2,base_url=http://h/v1", "use 'server'"),
        ("server:m,base_url=http://a:1/v1+http://b:2/v1", "several base_urls are for 'vllm'"),
        ("vllm:m,base_url=http://h/v1,serve=auto", "only for a vLLM that metaspo starts"),
        ("openai:o,flags=--dtype half", "flags: only for a vLLM that metaspo starts"),
        ("vllm:m,serve=batch,data_parallel=2", "serve=batch runs in this process"),
        ("vllm:m,serve=maybe", "serve"),
        ("openai:o,temprature=1", "unknown setting 'temprature'; known: provider"),
        ("openai:o,temperature=hot", "temperature"),
        ("openai:o,temperature=3", "temperature"),
        ("openai:o,concurrency=0", "concurrency"),
        ("openai:o,nonsense", "is not key=value"),
    ],
)
def test_bad_specs_say_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        ModelSpec.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "server:m,base_url=http://user:hunter2secret@host/v1",
        "server:m,base_url=http://host/v1?api_key=hunter2secret",
        "server:m,base_url=http://host/v1#hunter2secret",
        "openai:sk-hunter2secret,oops",
        "hunter:sk-hunter2secret",
        "vllm:m,flags=--api-key hunter2secret",
        "vllm:m,base_url=http://a:1/v1+http://user:hunter2secret@b:2/v1",
    ],
)
def test_secrets_in_a_spec_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSpec.parse(text)
    assert "hunter2secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("server:m,base_url=http://h/v1,temperature=[1", "cannot be read"),
        ("server:m,base_url=http://h/v1,temperature={a: *x}", "cannot be read"),
        ("server:m,base_url=http://h/v1,seed=1" + ":1" * 200_000, "cannot be read"),
        ("server:m,base_url=http://h/v1,seed=0x" + "f" * 100_000, "cannot be read"),
        ("server:m,base_url=", "has no value"),
        ("server:m,base_url=http://h/v1,seed=1,seed=2", "stands here twice"),
        ("server:m,base_url=http://h/v1,provider=openai", "stands here twice"),
        ("server:m,base_url=http://h/v1,nonsense=1", "unknown setting 'nonsense'"),
        ("server:m,base_url=http://h/v1,,", "is not key=value"),
        ("server:m,base_url=http://[::1/v1", "base_url is http://host:port/v1"),
        ("server:m,base_url=http://h:abc/v1", "base_url is http://host:port/v1"),
        (":m", "the form is provider:name"),
        ("server:m\nx,base_url=http://h/v1", "a line break"),
        ("server:m\x1b[2J,base_url=http://h/v1", "cannot be seen"),
        ("server:m,base_url=http://h/v1,api_key_env=sk-abcdefghij1234567890", "the name of an environment variable"),
    ],
)
def test_a_malformed_spec_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSpec.parse(text)
    assert says in str(caught.value) and "\n" not in str(caught.value) and "abcdefghij1234567890" not in str(caught.value)


def test_redact_leaves_ordinary_words_alone() -> None:
    assert redact("the task key is short") == "the task key is short"
    assert redact("Incorrect API key provided: sk-abcdef123456.") == "Incorrect API key provided: sk-***."
