"""What a model that called a tool is told of an error."""

import pytest

from metaspo.domain.tool_words import to_a_model


@pytest.mark.parametrize(
    ("kind", "said", "told"),
    [
        ("ConfigError", "tasks: is empty\nname one", "tasks: is empty; name one"),
        ("StoreError", "/srv/runs/metaspo.db: cannot be read", "metaspo.db: cannot be read"),
        ("TaskError", r"C:\Users\me\tasks\a.yaml:3: no such file", "a.yaml:3: no such file"),
        ("TaskError", "~/tasks/a.yaml: no task medical/anatomy", "a.yaml: no task medical/anatomy"),
        ("ModelError", "https://host/v1/chat refuses its key", "https://host/v1/chat refuses its key"),
        ("EndpointUnavailable", "no answer", "no answer; what run R has done is kept, 'metaspo resume R' goes on with it"),
        ("UserInterrupt", "User interrupted the run", "somebody cancelled the run; call the tool again"),
    ],
)
def test_an_error_of_ours_is_told_in_its_words_without_folders(kind: str, said: str, told: str) -> None:
    assert to_a_model(kind, said, "R").startswith(told)


@pytest.mark.parametrize("kind", ["KeyError", "OSError", "Exception", "RuntimeError"])
def test_of_an_error_that_nobody_foresaw_only_the_kind_is_told(kind: str) -> None:
    told = to_a_model(kind, "/srv/secret/key.pem holds sk-abcdefghijklmnop", "R")
    assert kind in told and "secret" not in told and "sk-" not in told
