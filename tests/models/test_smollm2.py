"""The file of the built-in model: fetched once, made once, whole or not there; here with a model of a few weights."""

import os
import signal
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

from metaspo.domain.errors import MissingExtraError, ModelError
from metaspo.models import smollm2 as builtin
from metaspo.models.eight_bits import in_eight_bits

from ..helpers import forked

Kind = gguf.GGMLQuantizationType

PROCESS = """
import os, sys, time
from pathlib import Path
from metaspo.models import smollm2 as builtin

builtin.SHA256, builtin.SERVED_SHA256, ready = sys.argv[1], sys.argv[2], Path(sys.argv[3])
make = builtin.in_eight_bits

def made(source, target):
    {how}

builtin.in_eight_bits = made
print(builtin.smollm2())
"""


def small_model(path: Path) -> Path:
    weights = np.random.default_rng(0).normal(size=(8, 64)).astype(np.float32)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("small")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_1)
    writer.add_token_list(["a", "b", "c"])
    writer.add_tensor("norm", np.ones(64, np.float32))
    writer.add_tensor("matrix", gguf.quants.quantize(weights, Kind.Q4_1), raw_dtype=Kind.Q4_1)
    writer.add_tensor("embedding", gguf.quants.quantize(weights, Kind.Q8_0), raw_dtype=Kind.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache on a machine where the small model can be fetched, and is the one expected."""
    small = small_model(tmp_path / "small.gguf")
    in_eight_bits(small, tmp_path / "small8.gguf")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(builtin, "SHA256", builtin.file_sha256(small))
    monkeypatch.setattr(builtin, "SERVED_SHA256", builtin.file_sha256(tmp_path / "small8.gguf"))
    monkeypatch.setattr(builtin, "_fetch", lambda folder: small_model(folder / "fetched"))
    return tmp_path / "cache" / "metaspo"


def must_not_be_called(*_: object) -> Path:
    raise AssertionError("called")


def files(cache: Path) -> set[str]:
    return {path.name for path in cache.rglob("*")}


def test_matrices_get_eight_bits_and_all_else_stays(tmp_path: Path) -> None:
    source, target, again = small_model(tmp_path / "4"), tmp_path / "8", tmp_path / "8again"
    in_eight_bits(source, target)
    in_eight_bits(source, again)
    assert target.read_bytes() == again.read_bytes()
    before, after = gguf.GGUFReader(source), gguf.GGUFReader(target)
    said = [{name: field.contents() for name, field in reader.fields.items()} for reader in (before, after)]
    assert said[0] | {"general.file_type": int(gguf.LlamaFileType.MOSTLY_Q8_0)} == said[1]
    assert list(said[0]) == list(said[1])
    assert [(one.name, one.tensor_type) for one in after.tensors] == [
        ("norm", Kind.F32),
        ("matrix", Kind.Q8_0),
        ("embedding", Kind.Q8_0),
    ]
    for old, new in zip(before.tensors, after.tensors, strict=True):
        weights = [gguf.quants.dequantize(one.data, one.tensor_type) for one in (old, new)]
        assert np.abs(weights[0] - weights[1]).max() < (0.02 if old.name == "matrix" else 1e-9)


def test_it_is_made_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = builtin.smollm2()
    assert path == cache / builtin.SERVED and builtin.file_sha256(path) == builtin.SERVED_SHA256
    monkeypatch.setattr(builtin, "_fetch", must_not_be_called)
    monkeypatch.setattr(builtin, "in_eight_bits", must_not_be_called)
    assert builtin.smollm2() == path
    assert files(cache) == {builtin.FILE, builtin.SERVED}


def test_what_was_fetched_before_is_not_fetched_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = builtin.fetched()
    monkeypatch.setattr(builtin, "_fetch", must_not_be_called)
    assert builtin.fetched() == before
    builtin.smollm2().unlink()
    assert builtin.file_sha256(builtin.smollm2()) == builtin.SERVED_SHA256


def test_another_file_under_its_name_is_fetched_anew(cache: Path) -> None:
    builtin.fetched().write_bytes(b"GGUF but not the one")
    assert builtin.file_sha256(builtin.smollm2()) == builtin.SERVED_SHA256
    assert builtin.file_sha256(cache / builtin.FILE) == builtin.SHA256


def test_a_damaged_download_is_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(folder: Path) -> Path:
        (folder / "m").write_bytes(b"GGUF but not the one")
        return folder / "m"

    monkeypatch.setattr(builtin, "_fetch", fetch)
    with pytest.raises(ModelError, match="sha256 differs"):
        builtin.smollm2()
    assert not files(cache)


def test_a_gguf_that_makes_other_bytes_is_not_believed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(builtin, "in_eight_bits", lambda source, target: target.write_bytes(source.read_bytes()))
        with pytest.raises(ModelError, match=r"sha256 differs.*pip install gguf=="):
            builtin.smollm2()
    assert files(cache) == {builtin.FILE}
    builtin.smollm2()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), TypeError("unexpected keyword argument 'sub_type'")])
def test_a_failure_in_the_middle_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def half(source: Path, target: Path) -> None:
        target.write_bytes(b"GGUF and a half")
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(builtin, "in_eight_bits", half)
        with pytest.raises(ModelError, match=r"could not be made from .*(No space left|sub_type).*gguf>="):
            builtin.smollm2()
    assert files(cache) == {builtin.FILE}
    assert builtin.file_sha256(builtin.smollm2()) == builtin.SERVED_SHA256


def test_without_gguf_the_extra_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "gguf", None)
        with pytest.raises(MissingExtraError, match=r"needs the extra 'local': pip install 'metaspo\[local\]'"):
            builtin.smollm2()
    builtin.smollm2()


def process(how: str, ready: Path) -> "forked.Popen":
    command = [sys.executable, "-c", PROCESS.format(how=how), builtin.SHA256, builtin.SERVED_SHA256, str(ready)]
    return forked.Popen(command, env=dict(os.environ), stdout=forked.PIPE, text=True)


@pytest.mark.long
def test_a_kill_in_the_middle_leaves_nothing_that_is_taken(cache: Path, tmp_path: Path) -> None:
    builtin.fetched()
    with process("make(source, target); os.truncate(target, 100); os.kill(os.getpid(), 9)", tmp_path) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    assert not (cache / builtin.SERVED).exists()
    assert builtin.file_sha256(builtin.smollm2()) == builtin.SERVED_SHA256


def test_two_processes_at_once_make_one_file(cache: Path, tmp_path: Path) -> None:
    builtin.fetched()
    (ready := tmp_path / "ready").mkdir()
    how = "make(source, target); (ready / str(os.getpid())).touch()\n    while len(list(ready.iterdir())) < 2: time.sleep(0.01)"
    with process(how, ready) as one, process(how, ready) as other:
        said = [each.communicate(timeout=60)[0].strip() for each in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0) and said == [str(cache / builtin.SERVED)] * 2
    assert files(cache) == {builtin.FILE, builtin.SERVED}
    assert builtin.file_sha256(cache / builtin.SERVED) == builtin.SERVED_SHA256
