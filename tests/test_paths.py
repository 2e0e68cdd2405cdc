import pytest

from avalanche_emgd import parallel_benchmark_from_arrays, parallel_benchmark_from_images


@pytest.mark.parametrize(
    ("make", "name"),
    [(parallel_benchmark_from_images, "directory"), (parallel_benchmark_from_arrays, "file")],
)
@pytest.mark.parametrize("path", [None, 3, "a" * 5000])
def test_values_that_are_not_paths(make, name, path):
    with pytest.raises(ValueError, match=rf"`{name}` (must be a|'a+' is no) path"):
        make(path)
