"""The files that a new project starts with."""

from pathlib import Path

from ..domain.errors import ConfigError
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT

CONFIG = f"""\
# A metaspo run. Start it with: metaspo optimize metaspo.yaml

tasks: [tickets.yaml]          # source tasks: files, built-in names ('metaspo tasks list') or blocks
targets: []                    # tasks that the search never sees, scored at the end
system_prompt: {DEFAULT_SYSTEM_PROMPT}   # <locked>words</locked> in it stay word for word

base: local:smollm2            # answers the tasks; e.g. server:llama,base_url=http://127.0.0.1:8000/v1
optimizer: local:smollm2,max_tokens=100   # writes prompts; a strong one helps most, e.g. openai:gpt-4o-mini, anthropic:NAME
# A block says the same, with every setting:
# optimizer:
#   provider: openai
#   name: gpt-4o-mini
#   temperature: 1             # default leaves it out, for endpoints that take none; o-series and gpt-5 need no setting
#   input_price: 0.15          # per million tokens, 0 is free; common models have a list price if none
#   cached_price: 0.075        # of what the endpoint found in its cache; input_price if none
#   output_price: 0.60

method: common_first           # 'metaspo methods' lists the others; the paper's is metaspo with preset: paper
preset: quick                  # quick: whole sentences alone, no optimizer is asked; paper: the optimizer writes prompts
# Single sizes can be set too. A training or validation size that is not set follows the data.
test_size: 12
# train_size: 35
# iterations: 2
# system_candidates: 3
# user_candidates: 2
# worst_drop: 0.05             # no task may lose more than 5 points, whatever the mean gains
# target: 0.95                 # a mean score at which the search stops
# placebo: true                # search once more with unrelated texts, as a control
# from_run: confirmed          # begin with the prompts of the store's newest confirmed run, when data have grown
seed: 0

# approve: both                # a person accepts, rejects or edits new prompts: user, system, both or none
# track: mlflow                # rounds and scores go to MLflow while the run is at work

# budget:                      # what is not set is not limited
#   calls: 5000
#   cost: 2.50                 # needs a price: set above, or the list's
#   minutes: 30
store: metaspo.db
"""

TASK = """\
# A task: its examples, how a question is put, how an answer is read and scored.
# Check it with: metaspo tasks check tickets.yaml

name: tickets
examples: tickets.csv          # .csv, .json, .jsonl, or {train: ..., test: ...}
question: "{subject}: {body}"  # a column, or a template over columns
answer: team                   # the column with the gold answer
user_prompt: |-
  Which team should handle this ticket: billing or technical? Answer with one word.

  {question}
answer_format: ""              # words that every user prompt must keep, such as the form of the answer
reader:
  kind: choice                 # choice, integer, number or text
  labels: [billing, technical]
  from: reply                  # the whole reply; or tag: what stands in the last <answer>...</answer>
metric: accuracy               # or macro_f1, exact_match, token_f1, contains, numeric, judge, your.module:function
constrain: true                # hold replies to the labels where the backend can
"""

PLACES = ("the invoice page", "my account", "the mobile app", "the reports view", "the settings", "the export")
BILLING = (
    "I was charged twice on {}",
    "Please refund the order shown on {}",
    "My card was declined on {}",
    "The discount is missing on {}",
)
TECHNICAL = (
    "I get an error message on {}",
    "Nothing happens when I press save on {}",
    "It crashes when I open {}",
    "Loading takes minutes on {}",
)


NAMES = ("metaspo.yaml", "tickets.yaml", "tickets.csv")
"""The files of a new project."""


def refuse_replacing(folder: Path) -> None:
    """Raise ConfigError where one of the files is there already."""
    there = [name for name in NAMES if (folder / name).exists()]
    if there:
        raise ConfigError(f"{folder / there[0]} exists already; choose an empty folder: metaspo init FOLDER")


def scaffold(folder: Path) -> list[Path]:
    """Write a config, a sample task and its data; raises ConfigError rather than replace a file."""
    refuse_replacing(folder)
    rows = ["subject,body,team"]
    for team, problems in (("billing", BILLING), ("technical", TECHNICAL)):
        for problem in problems:
            rows += [f"{'Question' if len(place) % 2 else 'Help'},{problem.format(place)}.,{team}" for place in PLACES]
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(NAMES, (CONFIG, TASK, "\n".join(rows) + "\n"), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in NAMES]
