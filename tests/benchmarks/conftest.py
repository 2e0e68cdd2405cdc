import pytest
from PIL import ImageFile

from tests.benchmarks.tables import frame


@pytest.fixture
def decoded(monkeypatch):
    """Record the files whose pixels are decoded."""
    files, load = [], ImageFile.ImageFile.load

    def recorded(image):
        files.append(image.filename)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", recorded)
    return files


@pytest.fixture(params=["csv", "parquet", "frame"])
def table(request, tmp_path):
    """The table of animals as a file of each kind and as a data frame."""
    if request.param == "frame":
        return frame()
    path = tmp_path / f"a.{request.param}"
    if request.param == "csv":
        frame().to_csv(path, index=False)
    else:
        frame().to_parquet(path)
    return path
