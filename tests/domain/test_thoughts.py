"""What a reasoning model says is what stands after its thoughts."""

import pytest

from metaspo.domain.thoughts import without_thoughts

REPLIES = [
    ("<think>... the answer is no?</think>\n\nyes", "yes"),
    ("<think><answer>A</answer></think> So the answer is B", "So the answer is B"),
    ("<think>never closed: yes", ""),
    ("first <think>no</think> yes <think>or", "yes"),
    ("no opening tag, as chat templates leave it</think>yes", "yes"),
    ("<THINK>no</Think >yes", "yes"),
    ("<thinking budget='low'>no</thinking>yes", "yes"),
    ("<thought>no</thought><thought>no</thought>yes", "yes"),
    ("<think>no<think>no</think>no</think>yes", "yes"),
    ("[THINK]no[/THINK]yes", "yes"),
    ("<|START_THINKING|>no<|END_THINKING|>yes", "yes"),
    ("<|START_THINKING|>no", ""),
    ("◁think▷no◁/think▷yes", "yes"),
    ("<seed:think>no</seed:think>yes", "yes"),
    ("<reasoning>no</reasoning>yes", "yes"),
    ("<reasoning>no", ""),
    ("<|channel|>analysis<|message|>no<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>", "yes"),
    ("<|channel|>analysis<|message|>no", ""),
    ("<answer>A</answer><reasoning>because</reasoning>", "<answer>A</answer><reasoning>because</reasoning>"),
    ("<think/>yes", "yes"),
    ("<think />\nyes", "yes"),
    ("<|begin_of_thought|>no<|end_of_thought|>yes", "yes"),
    ("<|think|>no<|/think|>yes", "yes"),
    ("<mm:think>no</mm:think>yes", "yes"),
    ("<longcat_think>no</longcat_think>yes", "yes"),
    ("<redacted_thinking>no</redacted_thinking>yes", "yes"),
    ("<thought_process>no", ""),
    ("<inner_monologue>no</inner_monologue>yes", "yes"),
    ("I think <b>yes</b>", "I think <b>yes</b>"),
    ("1 < 2 and thinking > 3", "1 < 2 and thinking > 3"),
]


@pytest.mark.parametrize(("reply", "said"), REPLIES)
def test_only_what_stands_after_the_thoughts_is_said(reply: str, said: str) -> None:
    assert without_thoughts(reply).strip() == said
