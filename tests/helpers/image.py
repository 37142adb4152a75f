"""Images without a Docker engine: the steps of a Dockerfile, word for word, in a root that has only this machine's system folders."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pathspec
import psutil

SHARED = ("/usr", "/etc", "/var", "/opt")
"""Folders of this machine that an image has: what it writes there goes to a layer of its own."""

ENTER = """
set -e
mount --make-rprivate /
image=$PWD
mkdir -p {place} && cd {place}
if [ "$PWD" != "$image" ]; then
    # A container has layers of its own on those of its image, which stay as they are.
    for part in root local; do
        mkdir -p own/$part work/$part $part
        mount -t overlay overlay -o lowerdir=$image/$part,upperdir=own/$part,workdir=work/$part $part
    done
fi
for folder in {shared}; do
    mkdir -p layers$folder work$folder root$folder
    below=$folder
    [ "$PWD" = "$image" ] || below=$image/layers$folder:$folder
    mount -t overlay overlay -o lowerdir=$below,upperdir=layers$folder,workdir=work$folder root$folder
done
mount --bind local root/usr/local
for name in bin sbin lib lib32 lib64; do [ ! -L /$name ] || ln -sfn "$(readlink /$name)" root/$name; done
mkdir -p root/dev root/proc root/tmp && chmod 1777 root/tmp
mount --rbind /dev root/dev
mount -t proc proc root/proc
hostname {name}
{volumes}
exec chroot --userspec={user} root env -i {environment} sh -c 'cd "$0" && exec "$@"' {workdir} "$@"
"""

BUILD = "build"
"""The host name of what runs while an image is made."""

NETWORK = ("PIP_", "UV_", "SSL_", "http_", "https_", "no_", "HTTP_", "HTTPS_", "NO_")
"""Beginnings of variables that say how this machine reaches a package index."""


def steps(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile with what follows each, comments and line ends taken out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [
        (word.upper(), rest.strip()) for word, _, rest in (line.strip().partition(" ") for line in joined.splitlines()) if word
    ]


def variables(rest: str) -> dict[str, str]:
    """What an ENV sets: NAME=value pairs with a shell's quotes."""
    pairs = (word.partition("=") for word in shlex.split(rest))
    return {name: value for name, _, value in pairs}


def context_of(folder: Path) -> list[str]:
    """The files below a folder that its .dockerignore lets through, as the langgraph command matches them."""
    spec = pathspec.GitIgnoreSpec.from_lines((folder / ".dockerignore").read_text().splitlines())
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [name for name in files if not spec.match_file(name)]


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing() -> str | None:
    """What this machine lacks to carry out a Dockerfile, if anything."""
    if sys.platform != "linux" or os.getuid() != 0:
        return "needs root on Linux, for roots of their own"
    if not all(map(shutil.which, ("unshare", "chroot", "apt-get"))) or sys.base_prefix == "/usr":
        return "needs unshare, chroot, apt-get and a Python in a folder of its own"
    done = subprocess.run(["unshare", "--mount", "--uts", "true"], capture_output=True, check=False)
    return done.stderr.decode() or None


@dataclass
class Image:
    """What a Dockerfile makes of a base, in `folder`: files, environment, user, and what a container starts with."""

    folder: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/bin:/bin:/usr/sbin:/sbin"}
    )
    workdir: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    base: str = ""

    @classmethod
    def python(cls, folder: Path) -> "Image":
        """A base with this Python and its pip in /usr/local, and nothing else of it, like Python's own images."""
        image, own = cls(folder), Path(sys.base_prefix)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (folder / "root").mkdir(parents=True)
        (folder / "local" / "bin").mkdir(parents=True)
        shutil.copytree(
            own / "lib" / version,
            folder / "local/lib" / version,
            ignore=shutil.ignore_patterns("site-packages", "__pycache__", "test"),
        )
        for library in (own / "lib").glob("libpython*"):
            shutil.copy2(library, folder / "local/lib")
        shutil.copytree(own / "include", folder / "local/include")
        shutil.copy2((own / "bin" / version).resolve(), folder / "local/bin" / version)
        for name in ("python", "python3"):
            (folder / "local/bin" / name).symlink_to(version)
        image.run("ldconfig")
        image.run("python", "-m", "ensurepip")
        (folder / "local/bin/pip").symlink_to("pip3")
        return image

    def build(self, dockerfile: str, context: Path, arguments: dict[str, str] | None = None) -> None:
        """Carry out the instructions; raises AssertionError with the output of one that fails."""
        given, known = arguments or {}, dict[str, str]()
        for word, rest in steps(dockerfile):
            if word == "FROM":
                self.base = rest
            elif word == "ARG":
                known |= {name: given.get(name, value) for name, value in variables(rest).items()}
            elif word == "ENV":
                self.environment |= variables(rest)
            elif word == "RUN":
                self.run("/bin/sh", "-c", rest, **known)
            elif word in ("ADD", "COPY"):
                source, target = shlex.split(rest)
                self._copy(context / source, target)
            elif word == "USER":
                self.user = rest
            elif word == "WORKDIR":
                self.workdir = rest
                self.run("mkdir", "-p", rest, at="/")
            elif word == "VOLUME":
                self.volumes.append(rest)
            elif word == "CMD":
                self.command = json.loads(rest)
            elif word == "HEALTHCHECK":
                self.health = json.loads(rest.partition("CMD ")[2])
            else:
                assert word == "EXPOSE", f"no step that is carried out here: {word} {rest}"

    def run(self, *command: str, at: str | None = None, **environment: str) -> str:
        """What a command prints in a container of this image; raises AssertionError where it fails."""
        network = {name: value for name, value in os.environ.items() if name.startswith(NETWORK)}
        done = subprocess.run(
            self._entered(command, network | environment, {}, at), cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def start(self, volume: Path, name: str, *command: str, **environment: str) -> "Container":
        """A container of that host name that does what the image is for, with a folder of this machine as its volume."""
        volumes = dict.fromkeys(self.volumes, volume)
        entered = self._entered(command or tuple(self.command), environment, volumes, name=name)
        return Container(entered, self.folder, volume)

    def _entered(
        self,
        command: tuple[str, ...],
        more: dict[str, str],
        volumes: dict[str, Path],
        at: str | None = None,
        name: str = "build",
    ) -> list[str]:
        home = {"HOME": f"/home/{self.user}" if self.user != "root" else "/root"}
        environment = shlex.join(f"{key}={value}" for key, value in (home | self.environment | more).items())
        mounts = "\n".join(f"mount --bind {shlex.quote(str(folder))} root{target}" for target, folder in volumes.items())
        place = "." if name == BUILD else f"containers/{name}-{time.monotonic_ns()}"
        script = ENTER.format(
            place=place,
            shared=" ".join(SHARED),
            name=name,
            volumes=mounts,
            user=self.user,
            environment=environment,
            workdir=at or self.workdir,
        )
        return ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c", script, "enter", *command]

    def _copy(self, source: Path, target: str) -> None:
        place = self.folder / "root" / target.lstrip("/")
        assert not any(target.startswith(folder) for folder in SHARED), target
        shutil.copytree(source, place, dirs_exist_ok=True)


class Container:
    """A running container: reached on loopback, killed as a machine that lost its power."""

    def __init__(self, command: list[str], folder: Path, volume: Path) -> None:
        """Start the command, with its log beside the volume."""
        self.log = volume.parent / "log"
        with self.log.open("a") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)

    def ready(self, port: int) -> None:
        """Wait until it answers as healthy."""
        deadline = time.monotonic() + 90
        while True:
            assert self._process.poll() is None and time.monotonic() < deadline, self.log.read_text()[-4000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ok", timeout=2) as reply:
                    assert reply.status == 200
                    return
            except OSError:
                time.sleep(0.2)

    def stop(self) -> None:
        """Ask it to stop, as `docker stop` asks the first process in it, and wait."""
        for child in psutil.Process(self._process.pid).children():
            child.terminate()
        self._process.wait(60)

    def kill(self) -> None:
        """End every process in it at once."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
