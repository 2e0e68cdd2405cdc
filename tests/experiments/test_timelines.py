from tests.command_line import call

PNG = b"\x89PNG"


def test_timeline_draws_without_training(tmp_path):
    picture = tmp_path / "deep" / "timeline.png"
    result = call("timeline", "--overlap", 0.5, "--tasks", 3, "--output", picture)
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(PNG)
    assert "task0: ticks 0–" in result.output
    again = call("timeline", "--output", picture)
    assert again.exit_code == 2
    assert "exists" in again.output
    assert call("timeline", "--output", picture, "--overwrite").exit_code == 0


def test_timeline_of_a_published_protocol(published_protocol, tmp_path):
    picture = tmp_path / "timeline.png"
    result = call(
        "timeline",
        "--benchmark",
        "ps-emnist",
        "--protocol",
        published_protocol,
        "--output",
        picture,
    )
    assert result.exit_code == 0, result.output
    assert "task4: ticks 3933–4876" in result.output
