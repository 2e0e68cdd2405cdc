import importlib

from tests.command_line import call

RUN = importlib.import_module("avalanche_emgd.experiments.run")  # the package exports run(), too


def test_a_run_that_fails_leaves_nothing(tmp_path, monkeypatch):
    for error, status in ((OSError(28, "No space left", "run/x"), 2), (KeyboardInterrupt(), 130)):

        def fail(*args, error=error, **kwargs):
            raise error

        monkeypatch.setattr("avalanche_emgd.experiments.finished_run.draw_curves", fail)
        commands = [("train", "--tasks", 2, "--batch-size", 32)]
        commands += [("demo",)] if status == 2 else []
        for command in commands:
            result = call(*command, "--output", tmp_path / "deep" / "run")
            assert result.exit_code == status
            last = result.output.splitlines()[-1]
            assert last == ("Interrupted." if status == 130 else "Error: run/x: No space left.")
            assert not list(tmp_path.iterdir())


def test_a_run_that_fails_leaves_what_others_wrote(tmp_path, monkeypatch):
    (tmp_path / "notes.txt").write_text("mine")

    def fail(*args, **kwargs):
        raise ValueError("it broke")

    monkeypatch.setattr(RUN, "execute", fail)
    result = call("train", "--output", tmp_path, "--overwrite")
    assert result.output == "Error: it broke\n"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
