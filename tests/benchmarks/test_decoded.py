"""Data sets of a process share decoded content, and nothing else."""

from __future__ import annotations

import gc
import os

import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd import (
    parallel_benchmark_from_arrays,
    parallel_benchmark_from_images,
    parallel_benchmark_from_table,
    ps_digits,
)
from avalanche_emgd.benchmarks import _decoded, image_files, own_arrays, own_images, own_table
from avalanche_emgd.benchmarks._decoded import Decoded, decoded_once

pytestmark = pytest.mark.usefixtures("nothing_shared")


def settle(*paths):
    """Set the times of files far back, so that their content is shared."""
    for path in paths:
        os.utime(path, (1e9, 1e9))


@pytest.fixture
def long_ago(monkeypatch):
    """Treat all files as old, because the time of change cannot be set."""
    monkeypatch.setattr(_decoded, "_SETTLED", -3600.0)


@pytest.fixture
def file(tmp_path, long_ago):
    path = tmp_path / "numbers"
    path.write_bytes(b"1234")
    settle(path)
    return path


def decode_of(file, calls):
    def decode():
        calls.append(1)
        return Decoded((torch.tensor([float(byte) for byte in file.read_bytes()]),), file.name)

    return decode


def test_content_is_shared_while_its_tensors_are_in_use(file):
    calls = []
    first = decoded_once("numbers", [file], decode_of(file, calls))
    second = decoded_once("numbers", [file], decode_of(file, calls))
    assert second.tensors[0] is first.tensors[0]
    assert second.facts == "numbers"
    assert len(calls) == 1
    del first, second
    gc.collect()
    decoded_once("numbers", [file], decode_of(file, calls))
    assert len(calls) == 2


def test_other_kinds_and_files_are_not_shared(file, tmp_path):
    calls = []
    other = tmp_path / "others"
    other.write_bytes(b"1234")
    settle(other)
    kept = [
        decoded_once(kind, files, decode_of(file, calls))
        for kind, files in (("a", [file]), ("b", [file]), ("a", [other]), ("a", [file, other]))
    ]
    assert len(calls) == len(kept) == 4


@pytest.mark.parametrize("how", ["rewritten", "replaced", "longer", "touched"])
def test_a_changed_file_is_decoded_again(file, how):
    calls = []
    first = decoded_once("numbers", [file], decode_of(file, calls))
    if how == "replaced":  # same size and time of modification
        new = file.with_name("new")
        new.write_bytes(b"5678")
        settle(new)
        new.replace(file)
    elif how == "rewritten":
        file.write_bytes(b"5678")
    elif how == "longer":
        file.write_bytes(b"12345")
        settle(file)
    else:
        os.utime(file, (2e9, 1.1e9))
    second = decoded_once("numbers", [file], decode_of(file, calls))
    assert second.tensors[0] is not first.tensors[0]
    assert second.tensors[0].tolist() == [float(byte) for byte in file.read_bytes()]


def test_a_file_that_has_just_changed_is_not_shared(tmp_path):
    path = tmp_path / "numbers"
    path.write_bytes(b"1234")
    calls = []
    first = decoded_once("numbers", [path], decode_of(path, calls))
    second = decoded_once("numbers", [path], decode_of(path, calls))
    assert second.tensors[0] is not first.tensors[0]


def test_missing_files_are_not_shared(tmp_path, long_ago):
    calls = []

    def decode():
        calls.append(1)
        return Decoded((torch.zeros(1),))

    kept = [decoded_once("none", [tmp_path / "nowhere"], decode) for _ in range(2)]
    assert len(calls) == len(kept) == 2


@pytest.mark.parametrize("through_a_view", [False, True])
def test_tensors_that_were_written_to_are_decoded_again(file, through_a_view):
    calls = []
    first = decoded_once("numbers", [file], decode_of(file, calls)).tensors[0]
    (first[1:] if through_a_view else first).add_(1.0)
    second = decoded_once("numbers", [file], decode_of(file, calls)).tensors[0]
    assert second.tolist() == [49.0, 50.0, 51.0, 52.0]


def test_inference_tensors_are_not_shared(file):
    calls = []
    with torch.inference_mode():
        first = decoded_once("numbers", [file], decode_of(file, calls))
        second = decoded_once("numbers", [file], decode_of(file, calls))
    assert second.tensors[0] is not first.tensors[0]


def test_facts_are_kept_of_the_last_files_only(file):
    calls = []

    def decode():
        calls.append(1)
        return Decoded(facts=1.0)

    for kind in range(100):
        decoded_once(kind, [file], decode)
    assert len(_decoded._entries) == _decoded._MOST
    decoded_once(99, [file], decode)
    assert len(calls) == 100


def test_benchmarks_of_one_file_of_arrays_share_them(tmp_path, long_ago, monkeypatch):
    path = tmp_path / "arrays.npz"
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (24, 4, 4), dtype=np.uint8)
    y = np.arange(24) % 4
    np.savez(path, x_train=x, y_train=y, x_test=x[:8], y_test=y[:8])
    calls = []
    read = own_arrays.read_arrays
    monkeypatch.setattr(own_arrays, "read_arrays", lambda *words: calls.append(1) or read(*words))
    first, second = (
        parallel_benchmark_from_arrays(path, num_tasks=2, batch_size=4, seed=seed)
        for seed in (0, 0)
    )
    assert len(calls) == 1
    assert first.fingerprint == second.fingerprint
    np.savez(path, x_train=255 - x, y_train=y, x_test=x[:8], y_test=y[:8])
    third = parallel_benchmark_from_arrays(path, num_tasks=2, batch_size=4)
    assert len(calls) == 2
    assert third.fingerprint != first.fingerprint


def test_benchmarks_of_one_folder_share_images_and_statistics(tmp_path, long_ago, monkeypatch):
    generator = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in "abcd":
            (tmp_path / part / name).mkdir(parents=True)
            for index in range(3):
                pixels = generator.integers(0, 256, (5, 7, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / name / f"{index}.png")
    calls = []
    for module in (image_files, own_images):
        monkeypatch.setattr(
            module, "decode", lambda *words, own=module.decode: calls.append(1) or own(*words)
        )

    def make(**options):
        return parallel_benchmark_from_images(tmp_path, num_tasks=2, batch_size=4, **options)

    first = make()
    assert len(calls) == 24 + 12  # once for the statistics of the training images
    second = make()
    assert len(calls) == 36
    assert first.fingerprint == second.fingerprint
    make(size=(3, 3))
    assert len(calls) == 72


def test_benchmarks_of_one_table_share_equal_divisions(tmp_path, long_ago, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("x,kind\n" + "".join(f"{row},{'ab'[row % 2]}\n" for row in range(40)))
    calls = []
    read = own_table.read_rows
    monkeypatch.setattr(own_table, "read_rows", lambda *words: calls.append(1) or read(*words))

    def make(**changes):
        arguments = {"label_column": "kind", "test_share": 0.5, "num_tasks": 2, **changes}
        return parallel_benchmark_from_table(path, **arguments)

    first, second = make(), make(batch_size=4)
    assert len(calls) == 1
    kept = [make(**{name: value}) for name, value in {"seed": 1, "test_share": 0.25}.items()]
    assert len(calls) == 3
    assert first not in [second, *kept]
    frames = [make(raw_features=True), make(raw_features=True)]
    assert len(calls) == 4
    assert frames[0] == frames[1]


def test_the_embedded_digits_are_read_once():
    first, second = ps_digits(), ps_digits(seed=1)
    assert len(_decoded._entries) == 1
    del first, second
    gc.collect()
    ps_digits()
    assert len(_decoded._entries) == 1
