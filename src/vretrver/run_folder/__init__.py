"""A run on disk, window by window: `folder` has the folder, `lines` what its files hold, `shards` its parts."""

from .folder import CONFIG_FILE, RunFolder
from .shards import Shard

__all__ = ["CONFIG_FILE", "RunFolder", "Shard"]
