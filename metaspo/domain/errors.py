"""What can go wrong, as one tree.

MetaspoError                    exit code 1: our mistake, or one we did not foresee
├── UserError                   exit code 2: something written by a person must change
│   ├── ConfigError             a run's configuration, an option, a preset
│   ├── TaskError               a task block or its data file
│   ├── PromptError             a seed prompt, an edited prompt or a template
│   ├── ModelError              a model spec, a key, a name that an endpoint refuses
│   │   └── NoAnswersError      a run that never got an answer, or a grade
│   ├── MissingExtraError       an optional package is not installed
│   ├── StoreError              the SQLite file: foreign, newer, full, read-only, unknown run
│   │   ├── RunHeldError        another process is working on this run
│   │   └── ElsewhereError      a thread's run is in another store, or further there than in this one
│   └── EditError               a thread's state was changed in a way that a run cannot go on from
├── HubError                    exit code 1: the Hugging Face hub can't be reached or lacks the data
└── RunStopped                  a run ended early and can be resumed
    ├── BudgetSpent             exit code 3
    ├── AwaitsApproval          exit code 4: a person has to accept, reject or edit a prompt first
    ├── AwaitsBatch             exit code 4: all its calls wait for batches, and it was to end then
    ├── EndpointUnavailable     exit code 1: the endpoint failed for longer than the patience
    └── Interrupted             exit code 130
"""

from .redaction import without_keys


class MetaspoError(RuntimeError):
    """Base of every error that metaspo raises on purpose. No message of one holds a key, whoever wrote its words.

    The Agent Server shows clients the messages of Python's own kinds of error only, hence RuntimeError.
    """

    exit_code = 1

    def __init__(self, *said: object) -> None:
        """Take keys out of what is said: it is shown, stored as a run's reason, and sent to clients."""
        super().__init__(*(without_keys(part) if isinstance(part, str) else part for part in said))


class UserError(MetaspoError):
    """Something a person wrote must change; the message says what, where and how."""

    exit_code = 2


class ConfigError(UserError):
    """A run's configuration, a command-line option or a preset is wrong."""


class TaskError(UserError):
    """A task block or its data file is wrong."""


class PromptError(UserError, ValueError):
    """A seed prompt, a prompt that a person edited or a prompt template is wrong. Validators may raise it."""


class ModelError(UserError):
    """A model spec is wrong, or an endpoint refuses its key, name or parameters."""


class NoAnswersError(ModelError):
    """None of a run's first replies holds an answer, or none of its answers got a grade: mended, it begins anew."""


class MissingExtraError(UserError):
    """An optional package is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        """Say that `what` needs the optional dependency group `extra`."""
        super().__init__(f"{what} needs the extra '{extra}': pip install 'metaspo[{extra}]'")


class StoreError(UserError):
    """The SQLite file cannot be used, or does not hold what was asked for."""


class RunHeldError(StoreError):
    """Another process is working on this run."""


class ElsewhereError(StoreError, ValueError):
    """A thread was picked up where its run is not, or stands earlier. The Agent Server answers ValueError with 400."""


class EditError(UserError, ValueError):
    """A thread's state was changed in a way that its run cannot go on from. The Agent Server answers ValueError with 400."""


class HubError(MetaspoError):
    """The Hugging Face hub can't be reached, or does not have the data that the catalogue names."""


class RunStopped(MetaspoError):
    """A run ended before its last round; what it finished is kept and it can be resumed."""


class BudgetSpent(RunStopped):
    """A budget was reached."""

    exit_code = 3


class AwaitsApproval(RunStopped):
    """A person has to decide about new prompts before the run goes on; `request` is what the graph asks."""

    exit_code = 4

    def __init__(self, message: str, request: dict[str, object]) -> None:
        """Say what is waited for; `request` is the payload of the graph's interrupt."""
        super().__init__(message)
        self.request = request


class AwaitsBatch(RunStopped):
    """All that a run has asked waits for batches, and its session was to end then."""

    exit_code = 4


class EndpointUnavailable(RunStopped):
    """An endpoint kept failing for longer than the model's patience."""


class Interrupted(RunStopped):
    """Ctrl-C or SIGTERM: calls in flight were finished and recorded."""

    exit_code = 130
