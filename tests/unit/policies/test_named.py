"""Pins policies by name where a model folder is named: what is made, what is refused, and what is loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.tiny_models import folder_of

from vretrver.errors import ConfigError
from vretrver.policies.named import LocalOptions, opened, policy_named


def test_a_model_folder_is_named_with_its_options() -> None:
    options = LocalOptions(dtype="bfloat16", device="cpu", in_flight=3, context_tokens=500)
    with opened(f"local:{folder_of('qwen3_vl')}", local=options) as policy:
        assert " bfloat16 cpu sdpa " in policy.fingerprint
        assert (policy.limits.in_flight, policy.limits.context_tokens) == (3, 500)


def test_a_name_that_is_no_folder_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="models/Qwen/Qwen3-VL: no such folder; name a folder on this machine"):
        policy_named("local:models/Qwen/Qwen3-VL")


def test_options_of_a_model_are_refused_by_policies_without_one() -> None:
    with pytest.raises(ConfigError, match="takes no options of one"):
        policy_named("first-k", local=LocalOptions())


def test_other_policies_load_no_torch() -> None:
    lines = (
        "import sys",
        "from vretrver.policies.named import opened",
        "with opened('first-k'):",
        " print(*sys.modules)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "tokenizers"} & set(done.stdout.split())
