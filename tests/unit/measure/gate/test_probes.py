"""The gate's probes on made-up numbers: they read what is there and nothing else."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the gate's probes need the models extra")

from measure.gate import native, observer
from measure.gate.listwise import pick_right
from measure.gate.metadata import size_choices
from measure.gate.place import cells_of, distances, find_labels
from measure.gate.pose import cut_windows


class _Always(torch.nn.Module):
    """Answers with the same logits whatever it is shown."""

    def __init__(self, logits: "torch.Tensor") -> None:
        super().__init__()
        self.logits = logits

    def forward(self, pictures: "torch.Tensor") -> "torch.Tensor":
        return self.logits


def test_observer_reads_a_difference_above_the_grain() -> None:
    generator = np.random.default_rng(0)
    marks = np.eye(5)[None, :, None] * 6
    templates = 100 + marks + generator.normal(0, 1, (8, 5, 12, 5))
    draws = 100 + marks + generator.normal(0, 1, (8, 5, 2, 5))
    assert observer.told_apart(templates, draws).mean() > 0.95


def test_observer_guesses_without_a_difference() -> None:
    generator = np.random.default_rng(1)
    draws = generator.normal(0, 1, (400, 5, 14, 9))
    assert abs(observer.told_apart(draws[:, :, :12], draws[:, :, 12:]).mean() - 0.2) < 0.03


def test_twins_are_told_apart_by_the_product_of_their_marks() -> None:
    labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 2]])
    scores = np.log(np.full((5, 2, 3), 0.1))
    for row, marks in enumerate(labels):
        scores[row, [0, 1], marks] = np.log(0.8)
    scores[4, 1] = np.log([0.9, 0.05, 0.05])
    scores[4, 0] = np.log([0.48, 0.1, 0.42])
    assert native.told_apart(scores, labels).tolist() == [True, True, True, True, False]


def test_picker_reads_a_planted_leak_and_nothing_from_noise() -> None:
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 5, 600)
    families = np.repeat(np.arange(120), 5)
    noise = generator.normal(0, 1, (600, 5, 4))
    planted = noise.copy()
    planted[np.arange(600), truth, 2] += 2.5
    assert pick_right(planted, truth, families, seed=3).lower > 0.6
    assert pick_right(noise, truth, families, seed=3).value < 0.27


def test_sizes_are_also_given_against_the_familys_mean() -> None:
    table = size_choices(np.array([[10.0, 1.0], [20.0, 3.0]]), np.array([7, 7]))
    assert table.shape == (2, 5, 9)
    assert table[1, 3].tolist() == [20.0, 3.0, 5.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def test_windows_start_at_their_corners() -> None:
    pixels = np.arange(2 * 20 * 20 * 3, dtype=np.int64).reshape(2, 20, 20, 3).astype(np.uint8)
    windows = cut_windows(pixels, np.array([[1, 4], [7, 0]]))
    assert np.array_equal(windows[0], pixels[0, 4:17, 1:14])
    assert np.array_equal(windows[1], pixels[1, 0:13, 7:20])


def test_place_is_the_mean_around_the_best_cell() -> None:
    heat = torch.full((1, 1, 48 * 48), -20.0)
    heat[0, 0, 10 * 48 + 20] = heat[0, 0, 10 * 48 + 21] = 5.0
    found = find_labels(_Always(heat), np.zeros((1, 96, 96, 3), dtype=np.uint8))
    assert found == pytest.approx(np.array([[336.0, 168.0]]), abs=0.1)
    assert cells_of(np.array([[335.0, 168.0]])).tolist() == [[10 * 48 + 20]]
    assert distances(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0]])).tolist() == [5.0]
