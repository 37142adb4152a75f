"""The built wheel, installed alone in a fresh environment, runs an optimization."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FIND = """
import importlib, sys
for name in sys.argv[1:]:
    module, _, member = name.replace(":", ".").rpartition(".")
    found = importlib.import_module(module)
    getattr(found, member)
    print(found.__file__)
"""


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_the_wheel_works_in_a_fresh_environment(tmp_path: Path) -> None:
    # Built from a copy, so that no build folder is left in the tree.
    source = tmp_path / "metaspo-main"
    files = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\n")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", source, cwd=tmp_path)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"metaspo"}
    assert {"metaspo/py.typed", "metaspo/datasets/prices.yaml", "metaspo/datasets/languages.yaml"} <= set(names)
    assert all(any(name.startswith(f"metaspo/datasets/{folder}/") for name in names) for folder in ("builtin", "catalogue"))

    # The dependencies are this environment's own; the package is the wheel's.
    fresh = tmp_path / "fresh"
    venv.create(fresh, with_pip=True)
    python = fresh / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-deps", "--quiet", wheel, cwd=tmp_path)
    [site] = (fresh / "lib").glob("python*/site-packages")
    own = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(own))
    where = run(python, "-c", "import metaspo; print(metaspo.__file__)", cwd=tmp_path).strip()
    assert where.startswith(str(fresh))

    # What langgraph.json names is in the package, outside of any clone.
    config = json.loads((ROOT / "langgraph.json").read_text())
    named = [graph["path"] for graph in config["graphs"].values()]
    named += [config["checkpointer"]["path"], config["http"]["app"], config["auth"]["path"]]
    found = run(python, "-c", FIND, *named, cwd=tmp_path).split()
    assert len(found) == len(named) and all(path.startswith(str(fresh)) for path in found)

    words = ["optimize", "--base", "scripted:dice", "--optimizer", "scripted:dice", "--json"]
    data = json.loads(run(fresh / "bin" / "metaspo", *words, cwd=tmp_path))
    assert data["run"]["status"] == "done" and {task["role"] for task in data["tasks"]} == {"source", "target"}
    assert (tmp_path / "metaspo.db").exists()
