"""What the tests of the drawn world share."""

from tests.small_world import gallery_file, tokens

__all__ = ["gallery_file", "tokens"]
