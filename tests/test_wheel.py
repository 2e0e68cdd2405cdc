"""The wheel holds the whole package, and an installation from it works anywhere."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command, cwd):
    # The checkout must not shadow the installed package.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy, because a build leaves files beside the source
    shutil.copytree(
        ROOT / "avalanche_emgd",
        source / "avalanche_emgd",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet")
    run(*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "avalanche_emgd").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "avalanche_emgd/experiments/report/templates/report.html.j2" in files
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files


@pytest.mark.slow
def test_an_installed_wheel_runs_compares_and_reports(wheel, tmp_path):
    place = tmp_path / "environment"
    venv.create(place, with_pip=False, symlinks=True)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    scheme = {"base": str(place), "platbase": str(place)}
    site = Path(sysconfig.get_path("purelib", vars=scheme))
    # The packages that ours needs are those of this environment; ours is not among them.
    dependencies = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "dependencies.pth").write_text("\n".join(sorted(dependencies)) + "\n")
    pip = (sys.executable, "-m", "pip", "--python", place, "--disable-pip-version-check")
    run(
        *pip, "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall", wheel, cwd=place
    )
    python, command = scripts / "python", scripts / "avalanche-emgd"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where = run(python, "-c", "import avalanche_emgd as a; print(a.__file__)", cwd=elsewhere)
    assert Path(where.strip()).is_relative_to(place)
    run(command, "demo", "--output", "demo", cwd=elsewhere)
    study = ("--methods", "emgd-gmc,avg", "--tasks", 2, "--batch-size", 32, "--output", "study")
    run(command, "compare", *study, "--workers", 1, cwd=elsewhere)
    run(command, "report", "study", cwd=elsewhere)
    assert (elsewhere / "demo" / "curves.png").is_file()
    for report in ("report.md", "report.html"):
        assert "emgd-gmc" in (elsewhere / "study" / report).read_text(encoding="utf-8")
