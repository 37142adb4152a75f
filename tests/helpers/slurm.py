"""A stand-in for Slurm's sbatch: elements of an array as processes with its variables, and jobs that wait for others.

`python slurm.py [--parsable] [--array=A] [--dependency=afterok:ID] FILE` does all of a job before it returns, two elements at a
time. What the job ended with is in `jobs/ID` of the folder that SLURM_HOME names, each element's output in `jobs/ID_K.out`.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def elements(array: str) -> list[int]:
    """The ids that `1-8`, `0-6:2` or `3,5` stand for."""
    found: list[int] = []
    for part in array.partition("%")[0].split(","):
        first, last, step = re.fullmatch(r"(\d+)(?:-(\d+))?(?::(\d+))?", part).groups()  # type: ignore[union-attr]
        found += range(int(first), int(last or first) + 1, int(step or 1))
    return found


def main(words: list[str]) -> None:
    """Submit a job and do it."""
    script = Path(words[-1])
    given = re.findall(r"^#SBATCH (--\S+)", script.read_text(encoding="utf-8"), re.MULTILINE) + words[:-1]
    options = dict(word.partition("=")[::2] for word in given)
    jobs = Path(os.environ["SLURM_HOME"]) / "jobs"
    jobs.mkdir(exist_ok=True)
    id = str(1 + len([one for one in jobs.iterdir() if not one.suffix]))
    codes: list[int] = []
    kind, _, before = options.get("--dependency", "").partition(":")
    if kind != "afterok" or set((jobs / before).read_text().split()) == {"0"}:
        ids = elements(options["--array"]) if "--array" in options else [None]
        with ThreadPoolExecutor(2) as pool:
            codes = list(pool.map(lambda one: _one(script, jobs, id, one, len(ids)), ids))
    (jobs / id).write_text(" ".join(map(str, codes)))
    print(id if "--parsable" in options else f"Submitted batch job {id}")


def _one(script: Path, jobs: Path, job: str, element: int | None, count: int) -> int:
    """One element, or a job that is no array; its exit code."""
    name, variables = job, {"SLURM_JOB_ID": job}
    if element is not None:
        name = f"{job}_{element}"
        variables |= {"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": str(element), "SLURM_ARRAY_TASK_COUNT": str(count)}
    with (jobs / f"{name}.out").open("w") as out:
        done = subprocess.Popen(["bash", str(script)], env=os.environ | variables, stdout=out, stderr=out)
        (jobs / f"{name}.pid").write_text(str(done.pid))
        return done.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
