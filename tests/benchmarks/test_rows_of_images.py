from avalanche_emgd.benchmarks import _rows_of_images
from tests.benchmarks.rows import each_kind, made


@each_kind
def test_images_are_scaled_and_decoded_where_they_fit(make, monkeypatch):
    known = made(make(), input_column="picture", size=(4, 5))
    assert known.input_shape == (3, 4, 5)
    monkeypatch.setattr(_rows_of_images, "fits_in_memory", lambda number, size: False)
    assert made(make(), input_column="picture", size=(4, 5)) == known
