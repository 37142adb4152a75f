"""What it costs to import metaspo, and to ask the command line for what needs no run.

    python benchmarks/imports.py

Each is started several times in a process of its own: CPU seconds (user and system, of that process),
its peak memory, how many modules it has imported, and which heavy packages are among them.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

BIN = Path(sys.executable).parent
HEAVY = ("langchain", "langgraph", "langsmith", "openai", "pydantic", "sqlite_utils", "aiohttp", "numpy")

CASES: dict[str, tuple[list[str], dict[str, str]]] = {
    "python -c pass": (["python", "-c", "pass"], {}),
    "import metaspo": (["python", "-c", "import metaspo"], {}),
    "metaspo --help": (["metaspo", "--help"], {}),
    "metaspo --version": (["metaspo", "--version"], {}),
    "metaspo optimize --help": (["metaspo", "optimize", "--help"], {}),
    "completion of 'metaspo re'": (
        ["metaspo"],
        {"_METASPO_COMPLETE": "bash_complete", "COMP_WORDS": "metaspo re", "COMP_CWORD": "1"},
    ),
    "metaspo.optimize": (["python", "-c", "import metaspo; metaspo.optimize"], {}),
}
"""What is started, and with which environment. The first and the last are there to compare with."""


def start(words: list[str], environment: dict[str, str], output: int) -> tuple[float, float]:
    """Run a command of this environment to its end; its CPU seconds and its peak memory in MB.

    A process's peak is never below what its parent had when it was started, so this file imports little itself.
    """
    actions = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    # By its whole path also to itself: Python finds its environment by the name that it is called by.
    program = str(BIN / words[0])
    process = os.posix_spawn(program, [program, *words[1:]], os.environ | environment, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    # Linux counts in KB, macOS in bytes.
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def modules(words: list[str], environment: dict[str, str]) -> set[str]:
    """The modules that a command has imported when it ends."""
    with tempfile.TemporaryFile() as log:
        start(words, environment | {"PYTHONPROFILEIMPORTTIME": "1"}, log.fileno())
        log.seek(0)
        lines = log.read().decode().splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description="What importing metaspo costs.")
    parser.add_argument("--runs", type=int, default=9, help="how often each is started")
    runs = parser.parse_args().runs
    print(f"{runs} runs each, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    print(f"{'':26}  CPU s, min  median  peak MB  modules  heavy packages")
    with open(os.devnull, "wb") as nowhere:
        for name, (words, environment) in CASES.items():
            seen = modules(words, environment)
            seconds, memory = zip(*(start(words, environment, nowhere.fileno()) for _ in range(runs)), strict=True)
            heavy = sorted({one.partition(".")[0] for one in seen if one.startswith(HEAVY)}) or ["none"]
            figures = f"{min(seconds):10.3f}  {median(seconds):6.3f}  {max(memory):7.0f}  {len(seen):7}"
            print(f"{name:26}  {figures}  {', '.join(heavy)}")


if __name__ == "__main__":
    main()
