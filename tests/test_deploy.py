"""docs/deploy.md is true: what goes into an image, what is in its environment, and that a server in it works."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from metaspo import optimize
from metaspo.cli.main import main
from metaspo.reports.listing import list_runs
from metaspo.store.checkpoints import ELSEWHERE
from metaspo.store.database import Store
from metaspo.workspace.serving import MODELS, Serving

from .helpers.database_server import database_server
from .helpers.docker_daemon import sent_by_docker
from .helpers.image import Container, Image, context_of, free_port, missing, steps, variables

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
CONFIG = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))
DOCKER = ROOT / "examples" / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
COMPOSED = {name: yaml.safe_load((DOCKER / name).read_text(encoding="utf-8")) for name in ("compose.yaml", "production.yaml")}
COMMANDS = [
    command.strip()
    for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    for command in re.sub(r"(^|\s)#.*", "", line).split(" && ")
    if command.strip()
]

PACKAGE = ("datasets/", "graph/", "metaspo/", "nodes/", "prompts/", "LICENSE", "README.md", "pyproject.toml")
STRAY = (
    ".env", ".git/config", ".venv/bin/python", "build/lib/metaspo/a.py", "demo.db", "examples/docker/.env", "key.pem",
    "metaspo.db", "metaspo.db-wal", "metaspo.egg-info/PKG-INFO", ".langgraph_api/.langgraph_ops.pckl", "notes.txt",
    "metaspo/.env", "metaspo/prod.env", "metaspo/.env.local", "metaspo/__pycache__/a.cpython-311.pyc", "graph/b.pyc",
    "datasets/team.db", "datasets/builtin/team.db-shm", "graph/.langgraph_api/x", "prompts/id.key", "nodes/run.log",
    "metaspo/store/.ipynb_checkpoints/a.py", "datasets/metaspo.egg-info/PKG-INFO", "metaspo/cert.pem",
)  # fmt: skip


def tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [name for name in names if name and (ROOT / name).is_file()]


def by_docker(folder: Path) -> list[str]:
    if shutil.which("docker") is None:
        pytest.skip("needs the command docker; an engine is not needed")
    # It always sends what says how to build, and leaves that out of the image again.
    return [name for name in sent_by_docker(folder) if name not in (".dockerignore", "examples/docker/Dockerfile")]


@pytest.mark.parametrize("let_through", [context_of, by_docker])
def test_an_image_gets_the_package_and_nothing_else(tmp_path: Path, let_through: Callable[[Path], list[str]]) -> None:
    files = tracked()
    for name in {*files, *STRAY}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in (".dockerignore", "examples/docker/Dockerfile"):
        shutil.copy2(ROOT / name, tmp_path / name)
    assert let_through(tmp_path) == sorted(name for name in files if name.startswith(PACKAGE))


def written_by_langgraph(folder: Path, python: str = CONFIG["python_version"]) -> str:
    """What `langgraph dockerfile` makes of langgraph.json in a clone of that name."""
    for name in tracked():
        if name.startswith(PACKAGE) or name in ("langgraph.json", ".dockerignore"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "langgraph.json").write_text(json.dumps(CONFIG | {"python_version": python}))
    command = [Path(sys.executable).parent / "langgraph", "dockerfile", "../Dockerfile"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return (folder.parent / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("python", re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text()))
def test_the_image_of_langgraph_build_is_as_the_page_says(tmp_path: Path, python: str) -> None:
    given = steps(written_by_langgraph(tmp_path / "metaspo", python))
    assert given[0] == ("FROM", f"langchain/langgraph-api:{python}")
    environment = {name: value for word, rest in given if word == "ENV" for name, value in variables(rest).items()}
    assert environment["METASPO_STORE"] == "/data/metaspo.db" and ("VOLUME", "/data") in given
    told = {
        "LANGSERVE_GRAPHS": "graphs",
        "LANGGRAPH_CHECKPOINTER": "checkpointer",
        "LANGGRAPH_HTTP": "http",
        "LANGGRAPH_AUTH": "auth",
    }
    # In quotes that a description with an apostrophe would end.
    assert {name: json.loads(environment[name]) for name in told if name in environment} == {
        name: CONFIG[key] for name, key in told.items() if key in CONFIG
    }
    runs = [rest for word, rest in given if word == "RUN"]
    assert not any("uninstall" in rest and "pip setuptools" in rest for rest in runs), "the built-in model is fetched by pip"
    assert any("libgomp1" in rest for rest in runs)


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=;~ ]", one)[0] for one in requirements}


def test_both_images_have_the_same_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert names_of([one for one in CONFIG["dependencies"] if one != "."]) == names_of(extras["local"] + extras["postgres"])
    # `>` in an unquoted requirement would be a redirection of the shell's.
    assert not [one for one in CONFIG["dependencies"] if re.search(r"[<>;&|$ ]", one)]
    [asked] = [variables(rest)["EXTRAS"] for word, rest in steps(DOCKERFILE) if word == "ARG" and "EXTRAS" in rest]
    assert asked == "local,postgres,studio"


def test_langgraph_json_names_nothing_of_a_machine_and_no_values() -> None:
    assert "pip_config_file" not in CONFIG and CONFIG["$schema"].startswith("https://")
    assert not [name for name in CONFIG.get("env", {}) if re.search("KEY|TOKEN|SECRET|PASSWORD|STORE", name)]
    assert not re.search(r'"\.{0,2}/(?!data)', json.dumps({key: CONFIG[key] for key in CONFIG if key != "dockerfile_lines"}))


def test_what_an_image_imports_from_outside_is_installed_with_it() -> None:
    """The engine of the built-in model links libraries that a slim image lacks, unless they are installed."""
    import xllamacpp

    if shutil.which("ldd") is None or sys.platform != "linux":
        pytest.skip("needs ldd")
    linked: set[str] = set()
    for library in Path(xllamacpp.__file__).parent.glob("*.so"):
        said = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
        linked |= set(re.findall(r"^\s*(lib[\w+-]+)\.so", said, re.MULTILINE))
    assert linked <= {"libc", "libm", "libpthread", "libdl", "librt", "libgcc_s", "libstdc++", "libgomp"}
    assert "libgomp" in linked and "libgomp1" in DOCKERFILE and "libgomp1" in str(CONFIG["dockerfile_lines"])


def test_the_compose_files_give_each_server_its_volume_and_no_secret() -> None:
    for name, data in COMPOSED.items():
        text = (DOCKER / name).read_text(encoding="utf-8")
        [(_, server)] = [
            (key, one) for key, one in data["services"].items() if "METASPO_SERVE_TOKEN" in one.get("environment", {})
        ]
        assert "store:/data" in server["volumes"] and "deploy" not in server, name
        assert all(port.startswith("127.0.0.1:") for one in data["services"].values() for port in one.get("ports", []))
        for variable, value in server["environment"].items():
            secret = re.search("TOKEN|KEY|PASSWORD|CHECKPOINTS|POSTGRES_URI", variable)
            assert not secret or value is None or re.search(r"\$\{\w+:\?", value), variable
        assert {
            word.partition(":")[0] for one in data["services"].values() for word in one.get("volumes", []) if word[0] != "."
        } == {*data["volumes"]}, name
        assert set(re.findall(r"\$\{(\w+)", text)) <= set(re.findall(r"[A-Z_]{5,}", PAGE)), name
    [port] = COMPOSED["compose.yaml"]["services"]["metaspo"]["ports"]
    assert port.split(":")[-1] == dict(steps(DOCKERFILE))["EXPOSE"]


def test_projects_have_a_server_a_store_and_a_token_each_behind_one_proxy() -> None:
    data = yaml.safe_load((DOCKER / "projects.yaml").read_text(encoding="utf-8"))
    proxy, *servers = data["services"].values()
    names = [name for name in data["services"] if name != "proxy"]
    assert {*data["volumes"]} == {*names}
    for name, server in zip(names, servers, strict=True):
        assert server["volumes"] == [f"{name}:/data"] and "deploy" not in server and "ports" not in server
        environment = server["environment"]
        assert environment["METASPO_STORE"] == f"/data/{name}.db"
        assert environment["METASPO_SERVE_TOKEN"].startswith(f"${{{name.upper()}_TOKEN:?")
        assert f"export {names[0].upper()}_TOKEN=" in PAGE and f"{name.upper()}_TOKEN=$(openssl" in PAGE
    [port] = proxy["ports"]
    caddy = (DOCKER / "Caddyfile").read_text(encoding="utf-8")
    sites = dict(re.findall(r"http://([\w.]+):\d+ {\n\treverse_proxy (\S+)\n}", caddy))
    assert [*sites.values()] == [f"{name}:{dict(steps(DOCKERFILE))['EXPOSE']}" for name in names]
    assert port.startswith("127.0.0.1:") and all(f"http://{host}:{port.split(':')[1]}/ok" in PAGE for host in sites)
    assert proxy["volumes"] == ["./Caddyfile:/etc/caddy/Caddyfile:ro"]


def test_what_the_page_names_is_there() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "metaspo").rglob("*.py"))
    for name in set(re.findall(r"METASPO_\w+", PAGE + str(COMPOSED) + DOCKERFILE)):
        assert f'"{name}"' in code, name
    for command in COMMANDS:
        words = [word for word in shlex.split(command) if "=" not in word or word.startswith("-")]
        for option, file in pairwise(words):
            assert option not in ("-f", "-d") or (ROOT / file).is_file(), command
        if "metaspo" in words[:-1] and words[0] == "docker" and words[1] == "exec" and words[3] == "metaspo":
            assert words[4] in main.commands, command
    for written in re.findall(r'METASPO_SERVE_MODELS="(.+?)"', PAGE):
        [spec] = Serving.of({MODELS: written}).models.values()
        assert spec.provider in ("openai", "vllm")
    [arguments] = re.findall(r"--build-arg (\w+)=studio", PAGE)
    assert f"ARG {arguments}=" in DOCKERFILE and "ARG PACKAGES=" in DOCKERFILE
    [uid] = re.findall(r"--uid (\d+)", DOCKERFILE)
    assert f"chown {uid} " in PAGE


@pytest.mark.long
def test_the_backup_of_the_page_is_the_store(tmp_path: Path) -> None:
    [command] = [words for words in map(shlex.split, COMMANDS) if "sqlite-utils" in words]
    store = Store(tmp_path / "metaspo.db")
    optimize(method="fixed", base="scripted:dice", store=tmp_path / "metaspo.db", test_size=4)
    words = [word.replace("/data", str(tmp_path)) for word in command[3:]]
    subprocess.run([Path(sys.executable).parent / words[0], *words[1:]], check=True, capture_output=True)
    store.close()
    [run] = list_runs(tmp_path / "backup.db")
    assert run == list_runs(tmp_path / "metaspo.db")[0] and run["status"] == "done"
    assert f"rm /data/{Path('backup.db')}" in PAGE


# The rest takes minutes: whole images, made from the Dockerfiles word for word.

TOKEN = "a-word-of-the-tests"
DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}
BASE_OF_LANGGRAPH = """
mkdir /api && touch /api/constraints.txt && cd /api
printf '[project]\\nname = "api"\\nversion = "1"\\n[tool.setuptools]\\npackages = []\\n' > pyproject.toml
pip install --quiet wheel uv "langgraph-cli[inmem]" && mv /usr/local/bin/uv /usr/local/bin/uvx /usr/bin/
"""
"""What stands in the place of LangGraph's image: its server, with the runtime in memory instead of the licensed one."""


@pytest.fixture(scope="module", params=["metaspo", "metaspo-server"])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if why := missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("image")
    dockerfile = written_by_langgraph(folder / "metaspo")
    for name in STRAY:
        (folder / "metaspo" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "metaspo" / name).touch()
    context = folder / "context"
    for name in context_of(folder / "metaspo"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / "metaspo" / name, context / name)
    made = Image.python(folder / request.param)
    if request.param == "metaspo":
        made.build(DOCKERFILE, context)
    else:
        made.run("sh", "-ec", BASE_OF_LANGGRAPH)
        made.build(dockerfile, context)
        made.command = ["uvicorn", "langgraph_api.server:app", "--host", "0.0.0.0"]
        made.environment |= {"MIGRATIONS_PATH": "__inmem", "DATABASE_URI": ":memory:", "REDIS_URI": "fake"}
        made.environment |= {"LANGGRAPH_RUNTIME_EDITION": "inmem", "N_JOBS_PER_WORKER": "10"}
    yield made
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture(params=["on the volume", "in PostgreSQL"])
def checkpoints(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    with nullcontext("") if request.param == "on the volume" else database_server() as address:
        yield {ELSEWHERE: address} if address else {}


@pytest.fixture
def volume(image: Image, tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    if image.user != "root":
        os.chown(folder, int(image.run("id", "-u")), -1)
    return folder


async def finished(client: LangGraphClient, thread: str, given: Any, context: Any = None) -> Any:
    state: Any = await client.runs.wait(thread, "metaspo", input=given, context=context)
    return state["incumbent"]["text"]


async def gone_on(client: LangGraphClient, thread: str) -> Any:
    """The state of a thread that a server was at work on: where its queue outlived it, the next one goes on by itself."""
    for run in await client.runs.list(thread):
        await client.runs.join(thread, run["run_id"])
    if (await client.threads.get_state(thread))["next"]:
        await finished(client, thread, None)
    return await client.threads.get_state(thread)


@pytest.mark.slow
async def test_a_server_in_its_image_keeps_what_it_did(image: Image, volume: Path, checkpoints: dict[str, str]) -> None:
    port = free_port()

    def started(name: str) -> Container:
        command = (*image.command, "--port", str(port))
        container = image.start(volume, name, *command, METASPO_SERVE_TOKEN=TOKEN, LANGSMITH_TRACING="false", **checkpoints)
        container.ready(port)
        return container

    client = get_client(url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {TOKEN}"})
    container = started("one")
    try:
        async with get_client(url=f"http://127.0.0.1:{port}") as stranger:
            with pytest.raises(Exception, match="asks for its token"):
                await stranger.threads.create()
        thread = (await client.threads.create())["thread_id"]
        found = await finished(client, thread, {}, DICE)
        assert [row["status"] for row in list_runs(volume / "metaspo.db")] == ["done"]

        # Stopped in the middle of a run: the next one, another container to the store, goes on with it.
        second = (await client.threads.create())["thread_id"]
        await client.runs.create(second, "metaspo", input={"preset": "paper"}, context=DICE)
        await asyncio.sleep(2)
        container.stop()
        container = started("two")
        state = await gone_on(client, second)
        assert state["values"]["incumbent"]["text"] and not state["next"]

        # Killed while nothing is at work: every thread is there.
        container.kill()
        container = started("three")
        assert (await client.threads.get_state(thread))["values"]["incumbent"]["text"] == found
        assert {row["run"] for row in list_runs(volume / "metaspo.db")} == {thread, second}
        if image.health:
            health = [word.replace(":2024/", f":{port}/") for word in image.health]
            image.run(*health)
            container.kill()
            with pytest.raises(AssertionError, match="refused"):
                image.run(*health)
    finally:
        container.kill()
        await client.aclose()


@pytest.mark.slow
def test_an_image_holds_the_package_alone(image: Image) -> None:
    assert image.run("python", "-m", "pip", "--version")
    where = Path(image.run("python", "-c", "import metaspo; print(metaspo.__file__)", at="/").strip()).parent
    names = [name for name in STRAY if "egg-info" not in name]  # which an editable installation makes
    listed = image.run("find", "/data", "/deps" if "/deps" in image.workdir else where, "-type", "f").splitlines()
    assert not [path for path in listed for name in names if path.endswith(f"/{name}")]
    assert not [path for path in listed if re.search(r"/(tests|benchmarks|\.git|\.venv)/", path)]
    assert image.run("metaspo", "--version")
