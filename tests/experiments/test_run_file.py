import json

from avalanche_emgd.experiments import RunConfig
from avalanche_emgd.experiments.run_file import load_config


def test_options_replace_what_the_file_says_and_what_belongs_to_it(tmp_path):
    file = tmp_path / "config.json"
    one = RunConfig(method="emgd-gmc", settings={"decay": 0.5}, num_tasks=2, batch_size=8)
    file.write_text(json.dumps(one.to_json()))
    assert load_config(file) == one.resolved()
    assert load_config(file, method="avg").settings == {}
    assert load_config(file, method="emgd-gmc").settings == {"decay": 0.5}
    assert load_config(file, overlap=0.5).num_tasks == 2
    emnist = load_config(file, benchmark="ps-emnist")
    assert (emnist.batch_size, emnist.num_tasks, emnist.settings) == (None, None, {"decay": 0.5})
    with_protocol = load_config(file, protocol="p.json", label_set=1)
    assert (with_protocol.num_tasks, with_protocol.label_set) == (None, 1)
    file.write_text(json.dumps(with_protocol.to_json()))
    assert load_config(file, overlap=0.5).protocol is None
