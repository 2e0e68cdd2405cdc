import yaml

from avalanche_emgd.experiments.report import write_report
from tests.experiments.report.records import done, failed, save


def plan(tmp_path, **changes):
    content = {"methods": ["avg", "mgda"], "scenarios": ["class"], "seeds": [0, 1], **changes}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(content))


def test_runs_that_are_still_to_be_done(undrawn, tmp_path):
    where = {"label_set": None, "timeline": None}
    records = [done("avg", 0.5, seed=0, **where), failed("mgda", seed=0, **where)]
    records.append(done("earlier", 0.5, seed=0, **where))  # no longer in the plan
    save(tmp_path, records)
    plan(tmp_path)
    text = write_report(tmp_path)[0].read_text(encoding="utf-8")
    assert "2 done, 1 failed, 2 to be done, of 4 runs in study.yaml" in text


def test_a_plan_that_cannot_be_read_is_said(undrawn, tmp_path):
    save(tmp_path, [done("avg")])
    plan(tmp_path, methods=["no_such_module:make"])
    text = write_report(tmp_path)[0].read_text(encoding="utf-8")
    assert "1 done, 0 failed; how many are planned cannot be said" in text
    assert "no\\_such\\_module" in text
