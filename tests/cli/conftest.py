import pytest

from tests.cli.wrong_files import write_files


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """Folder with every kind of wrong file, which tests leave as it is."""
    folder = tmp_path_factory.mktemp("inputs")
    write_files(folder)
    return folder
