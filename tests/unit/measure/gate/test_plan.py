"""What the gate draws: splits that share no family, and every code in every family."""

from collections import Counter

from measure.gate.plan import coded, label_of, observed, own, shot_of, split_families
from measure.gate.settings import CODES, quick_settings

SETTINGS = quick_settings()


def test_splits_share_no_family_and_carry_one_kind() -> None:
    split = split_families(SETTINGS, "emblem")
    families = [*split.test, *split.choice, *split.train]
    assert len(set(families)) == len(families) == 12
    assert {shot_of(SETTINGS, "emblem", sample).family.label for sample in own(tuple(families))} == {"emblem"}


def test_every_family_and_view_shows_all_codes_once() -> None:
    samples = coded((4, 9), views=(0, 1))
    assert Counter((sample.family, sample.view) for sample in samples) == dict.fromkeys(
        [(4, 0), (4, 1), (9, 0), (9, 1)], 5
    )
    for family in (4, 9):
        assert sorted(s.code for s in samples if s.family == family and s.view == 1) == [0, 1, 2, 3, 4]


def test_code_replaces_the_detail_and_nothing_else() -> None:
    family = split_families(SETTINGS, "print").test[0]
    sample = coded((family,))[2]
    shot = shot_of(SETTINGS, "print", sample)
    assert shot.printed.values == CODES["print"][2]
    assert shot.twin == 2
    assert label_of(SETTINGS, "print", sample) == (2,)


def test_templates_share_their_grain_and_draws_do_not() -> None:
    samples = observed(SETTINGS, (7,))
    grains = {code: [sample.grain for sample in samples if sample.code == code] for code in range(5)}
    assert grains == {0: [0, 1, 2], 1: [0, 1, 3], 2: [0, 1, 4], 3: [0, 1, 5], 4: [0, 1, 6]}
