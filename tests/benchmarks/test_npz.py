"""Array files take memory and time in proportion to their size."""

import io
import pickle
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import psutil
import pytest

from avalanche_emgd import parallel_benchmark_from_arrays
from avalanche_emgd.benchmarks import _npz
from avalanche_emgd.benchmarks._npz import read_arrays

KEYS = ("x", "y")


def header(shape, descr="<f4", version=(1, 0)):
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text


def archive(path, *, compression=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in {"x": header((0,)), "y": header((0,)), **members}.items():
            file.writestr(f"{name}.npy", content)
    return path


def array_bytes(array):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3)),
        np.array(3),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(["a", "bc"]),
        np.array([True, False]),
    ],
)
def test_arrays_come_back(save, array, tmp_path):
    save(tmp_path / "a.npz", x=array, y=np.arange(3), ignored=np.array([{}], dtype=object))
    found = read_arrays(tmp_path / "a.npz", KEYS)
    assert set(found) == set(KEYS)
    np.testing.assert_array_equal(found["x"], array)
    assert found["x"].dtype == array.dtype


def refused(path, message):
    """Check that a file is refused with an error of one line, and is hardly unpacked."""
    process = psutil.Process()
    before = process.memory_info().rss
    tracemalloc.start()
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        read_arrays(path, KEYS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "\n" not in str(error.value)
    assert peak < 2**20 + 100 * path.stat().st_size
    assert process.memory_info().rss - before < 100e6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            header((10**12,)),
            "x declares 4,000 GB in shape (1000000000000,) of float32, but has 0 bytes",
        ),
        (header((2**40, 2**40)), "x declares"),
        (header((2, 2)) + b"\0" * 15, "in shape (2, 2) of float32, but has 15 bytes"),
        (header((2, 2)) + b"\0" * 17, "but has 17 bytes"),
        (header((-1,)), "has the shape (-1,)"),
        (header((1,), "|O") + b"x", "x has Python objects"),
        (header((1,), [("a", "|O")]), "x has Python objects"),
        (array_bytes(np.array([{}])), "x has Python objects"),
        (header((1,), version=(9, 9)), "unknown version (9, 9)"),
        (b"\x93NUMPY" + bytes((1, 0)) + struct.pack("<H", 65535) + b"{" * 65535, "is large and"),
        (b"not an array", "the magic string is not correct"),
        (b"", "of numbers or text"),
        (header((10**400,)), "of numbers or text"),
    ],
)
def test_headers_that_disagree_with_the_file(content, message, tmp_path):
    refused(archive(tmp_path / "a.npz", x=content), message)


def test_an_array_that_expands_too_far_is_not_unpacked(tmp_path):
    size = 80 << 20
    path = archive(tmp_path / "a.npz", x=header((size,), "|u1") + bytes(size))
    assert path.stat().st_size < 200_000
    refused(path, "by more than 200 times: save it with numpy.savez")
    # Without compression the same array is taken.
    path = archive(
        tmp_path / "b.npz", x=header((size,), "|u1") + bytes(size), compression=zipfile.ZIP_STORED
    )
    assert read_arrays(path, KEYS)["x"].nbytes == size


def test_what_does_not_fit_into_memory(tmp_path, monkeypatch):
    free = psutil.virtual_memory()._replace(available=1000)
    monkeypatch.setattr(_npz.psutil, "virtual_memory", lambda: free)
    np.savez(tmp_path / "a.npz", x=np.zeros(30), y=np.zeros(30))
    refused(
        tmp_path / "a.npz", "its arrays have 480 bytes, more than 40% of the 1,000 bytes of free"
    )


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.99])
def test_truncated_files(cut, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).random(500), y=np.arange(9))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(content[: int(cut * len(content))])
    refused(tmp_path / "b.npz", "must be a NumPy .npz file with x and y")


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_are_one_line_or_read(seed, tmp_path):
    generator = np.random.default_rng(seed)
    np.savez_compressed(tmp_path / "a.npz", x=generator.random(50), y=np.arange(9))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    for place in generator.integers(0, len(content), 3):
        content[place] = int(generator.integers(256))
    (tmp_path / "a.npz").write_bytes(content)
    try:
        read_arrays(tmp_path / "a.npz", KEYS)
    except ValueError as error:
        assert "`file`" in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017


class Harm:
    def __reduce__(self):
        return open, ("harm", "w")


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(archive(tmp_path / "a.npz", x=array_bytes(np.array([Harm()]))), "has Python objects")
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Harm()))
    refused(tmp_path / "b.npz", "must be a NumPy .npz file")
    assert not (tmp_path / "harm").exists()


def test_one_large_label_takes_no_memory(tmp_path):
    y = np.arange(40) % 4
    y[7] = 10**8
    np.savez(tmp_path / "a.npz", x_train=np.zeros((40, 2)), y_train=y, x_test=np.zeros((40, 2)),
             y_test=y)  # fmt: skip
    benchmark = parallel_benchmark_from_arrays(tmp_path / "a.npz", num_tasks=2)
    assert benchmark.num_classes == 5


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("part", ["train", "test"])
def test_numbers_that_are_not_finite_in_single_precision(bad, part, tmp_path):
    content = {}
    for each in ("train", "test"):
        content[f"x_{each}"], content[f"y_{each}"] = np.zeros((8, 2)), np.arange(8) % 2
    content[f"x_{part}"][5, 1] = bad
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(ValueError, match=rf"`file` .* NaN or infinite numbers in x_{part}\[5\]"):
        parallel_benchmark_from_arrays(tmp_path / "a.npz", num_tasks=2)
