"""An agent that answers with the newest confirmed prompts, from where they are kept. It needs no metaspo to run.

    metaspo push --to mlflow:support      # or langsmith:support, or file:kept-prompts
    export OPENAI_API_KEY=...
    python examples/load_prompt.py --source mlflow:support --task app_reviews "It crashes whenever I open it."

The newest system prompt that is confirmed says which run it is of, and the user prompt is that run's: so the two
belong together, whatever somebody is pushing at the same moment.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import yaml
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI


def from_langsmith(name: str, task: str, question: str) -> list[BaseMessage]:
    """The messages that put a question, from LangSmith's prompts NAME and NAME-TASK."""
    from langsmith import Client

    client = Client()
    system = client.pull_prompt(f"{name}:confirmed")
    run = system.metadata["metaspo_run"]
    user = client.pull_prompt(f"{name}-{task}:run-{run[:8]}")
    messages: list[BaseMessage] = (system + user).format_messages(question=question)
    return messages


def from_mlflow(name: str, task: str, question: str) -> list[BaseMessage]:
    """The same from MLflow's prompt registry. `format`, and not `template`: some prompts hold braces of their own."""
    from mlflow import MlflowClient

    client = MlflowClient()
    system = client.load_prompt(f"prompts:/{name}@confirmed")
    run = system.tags["metaspo_run"]
    user = client.load_prompt(f"prompts:/{name}-{task}@run-{run[:8]}")
    return [SystemMessage(system.format()), HumanMessage(user.format(question=question))]


def from_folder(name: str, task: str, question: str) -> list[BaseMessage]:
    """The same from a folder of versions, of which the highest number is the newest."""
    versions = sorted((path for path in Path(name).iterdir() if path.name.isdigit()), key=lambda path: int(path.name))
    for folder in reversed(versions):
        about = yaml.safe_load((folder / "version.yaml").read_text(encoding="utf-8"))
        if about["verdict"] == "confirmed":
            texts = {one.get("task", ""): (folder / one["file"]).read_bytes().decode() for one in about["prompts"]}
            head, _, tail = texts[task].partition("{question}")
            return [SystemMessage(texts[""]), HumanMessage(f"{head}{question}{tail}")]
    raise SystemExit(f"no version in {name} is confirmed")


SOURCES = {"langsmith": from_langsmith, "mlflow": from_mlflow, "file": from_folder}


def main(argv: Sequence[str] | None = None) -> None:
    """Answer a question with the newest confirmed prompts."""
    parser = argparse.ArgumentParser(description="An agent with the newest confirmed prompts.")
    parser.add_argument("question")
    parser.add_argument("--source", required=True, help="langsmith:NAME, mlflow:NAME or file:FOLDER, as they were pushed")
    parser.add_argument("--task", required=True, help="whose user prompt to use")
    parser.add_argument("--model", default="gpt-4o-mini")
    given = parser.parse_args(argv)
    kind, _, name = given.source.partition(":")
    messages = SOURCES[kind](name, given.task, given.question)
    print(ChatOpenAI(model=given.model, temperature=0).invoke(messages).text)


if __name__ == "__main__":
    main()
