import numpy as np
import pytest
from PIL import Image

from avalanche_emgd import parallel_benchmark_from_hugging_face
from avalanche_emgd.benchmarks import _rows_of_images
from tests.benchmarks.rows import Rows

N = 24


NAMES = ["cat", "ant", "dog", "bee"]


def columns(seed=0):
    generator = np.random.default_rng(seed)
    pictures = generator.integers(0, 256, (N, 6, 7, 3), dtype=np.uint8)
    labels = [row % 4 for row in range(N)]
    return {
        "picture": [Image.fromarray(each) for each in pictures],
        "pixels": generator.integers(0, 256, (N, 4, 5)).tolist(),
        "vector": generator.normal(size=(N, 3)).tolist(),
        "tokens": [[4 * label + place for place in range(4)] for label in labels],
        "ragged": [[1] * (1 + row % 2) for row in range(N)],
        "number": [0.5] * N,
        "word": [NAMES[label] for label in labels],
        "label": labels,
    }


def rows_of(**changes):
    return Rows({**columns(), **changes})


def library_rows(**changes):
    datasets = pytest.importorskip("datasets")
    integers = {name: datasets.Value(name) for name in ("int32", "int64")}
    features = datasets.Features(
        {
            "picture": datasets.Image(),
            "pixels": datasets.Array2D((4, 5), "uint8"),
            "vector": datasets.Sequence(datasets.Value("float64"), length=3),
            "tokens": datasets.Sequence(integers["int32"], length=4),
            "ragged": datasets.Sequence(integers["int64"]),
            "number": datasets.Value("float64"),
            "word": datasets.Value("string"),
            "label": datasets.ClassLabel(names=NAMES),
        }
    )
    return datasets.Dataset.from_dict({**columns(), **changes}, features=features)


@pytest.fixture(params=[rows_of, library_rows], ids=["stand-in", "library"])
def make(request):
    return request.param


def made(train, test=None, **changes):
    arguments = {"input_column": "vector", "label_column": "label", "num_tasks": 2, **changes}
    return parallel_benchmark_from_hugging_face(train, train if test is None else test, **arguments)


def test_images_are_scaled_and_decoded_where_they_fit(make, monkeypatch):
    known = made(make(), input_column="picture", size=(4, 5))
    assert known.input_shape == (3, 4, 5)
    monkeypatch.setattr(_rows_of_images, "fits_in_memory", lambda number, size: False)
    assert made(make(), input_column="picture", size=(4, 5)) == known
