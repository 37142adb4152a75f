from dataclasses import dataclass


@dataclass
class StructuredOutputsParams:
    choice: list | None = None
    grammar: str | None = None
    json: dict | None = None


@dataclass
class SamplingParams:
    max_tokens: int
    temperature: float
    seed: int | None = None
    structured_outputs: StructuredOutputsParams | None = None
