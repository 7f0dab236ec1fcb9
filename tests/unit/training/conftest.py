"""What the tests of training share."""

from tests.small_world import gallery_file, tokens

__all__ = ["gallery_file", "tokens"]
