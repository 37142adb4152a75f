"""Stands where vLLM would be: the parts of its interface that metaspo uses, without any model."""

from typing import ClassVar

from .sampling_params import SamplingParams


class _Core:
    def shutdown(self):
        LLM.running.remove(self)


class LLM:
    """Says the first choice, or the last word of what it is asked."""

    batches: ClassVar[list] = []
    running: ClassVar[list] = []

    def __init__(self, args):
        if args.model == "missing":
            raise ValueError("Repo id must be in the form 'repo_name'")
        if args.model == "cuda":
            raise RuntimeError("Failed to infer device type, please set the environment variable")
        self.args = args
        self.llm_engine = type("Engine", (), {"engine_core": _Core()})()
        LLM.running.append(self.llm_engine.engine_core)

    @classmethod
    def from_engine_args(cls, args):
        return cls(args)

    def chat(self, messages, sampling_params, use_tqdm=True):
        assert len(messages) == len(sampling_params)
        LLM.batches.append([(talk, params) for talk, params in zip(messages, sampling_params, strict=True)])
        for talk in messages:
            if "too long" in talk[-1]["content"]:
                raise ValueError("This model's maximum context length is 64 tokens.")
            if "die" in talk[-1]["content"]:
                raise EngineDeadError("EngineCore encountered an issue.")
        return [_output(talk, params) for talk, params in zip(messages, sampling_params, strict=True)]


class EngineDeadError(Exception):
    pass


def _output(talk, params):
    words = talk[-1]["content"].split()
    rule = params.structured_outputs
    text = rule.choice[0] if rule and rule.choice else words[-1]
    said = type("Said", (), {"text": text, "finish_reason": "stop", "token_ids": [1]})
    return type("Output", (), {"outputs": [said], "prompt_token_ids": [0] * len(words)})


__all__ = ["LLM", "SamplingParams"]
