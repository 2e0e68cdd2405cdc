import numpy as np
import pytest

from avalanche_emgd.experiments.report.labels import place_boxes
from tests.experiments.report.boxes import overlap


@pytest.mark.parametrize(("count", "spread"), [(1, 1.0), (40, 200.0), (40, 40.0), (25, 1.0)])
def test_boxes_are_apart_inside_and_off_the_points(count, spread):
    draw = np.random.default_rng(count)
    anchors = np.clip(draw.normal((400.0, 350.0), spread, size=(count, 2)), 20.0, 680.0)
    sizes = np.stack([draw.uniform(20.0, 120.0, count), np.full(count, 12.0)], axis=1)
    bounds = np.array([0.0, 0.0, 800.0, 700.0])
    boxes = place_boxes(anchors, sizes, bounds)
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], sizes)
    assert overlap(boxes) == 0.0
    assert np.all(boxes[:, :2] >= bounds[:2])
    assert np.all(boxes[:, 2:] <= bounds[2:])
    points = np.concatenate([anchors - 2.0, anchors + 2.0], axis=1)
    assert overlap(np.concatenate([boxes, points])) == pytest.approx(overlap(points))


def test_a_lone_label_is_beside_its_point():
    anchor = np.array([[100.0, 100.0]])
    (box,) = place_boxes(anchor, np.array([[50.0, 10.0]]), np.array([0.0, 0.0, 300.0, 300.0]))
    near = np.clip(anchor[0], box[:2], box[2:])
    assert 5.0 < np.hypot(*(near - anchor[0])) < 12.0
