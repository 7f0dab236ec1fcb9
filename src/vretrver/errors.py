"""Every exception the package raises on purpose.

    VRetrverError
    |-- DataError          (also ValueError)   a file, row, picture or record is wrong
    |   |-- PictureError                       one picture cannot be read or is not what it was
    |   |-- IndexBusy                          another process is writing the index; ask again later
    |   |-- StorageError                       the disk is full, or a file or folder cannot be written
    |   `-- ParityError                        a training sample is not what the policy read when it wrote the turn
    |-- ConfigError        (also ValueError)   an option or a configuration file is wrong
    |-- PolicyError        (also RuntimeError) a policy is misconfigured or unreachable at the start
    |   `-- PolicyInUse                        a second driver was given a policy that is in use
    |-- Overloaded         (also RuntimeError) an engine's queue is full; ask again later
    |-- EngineClosed       (also RuntimeError) an engine takes no queries any more
    |-- ServiceError       (also RuntimeError) a remote service refused a request or could not be reached
    |-- IndexMismatch      (also ValueError)   vectors or an index belong to another encoder
    `-- MissingDependency  (also ImportError)  an extra is not installed

A message says what is wrong, where (path:line or id), the value, and the remedy. What a model does wrong is
data on the trajectory and never an exception.
"""


class VRetrverError(Exception):
    """Base of all errors of this package; the command line prints it as one sentence."""


class DataError(VRetrverError, ValueError):
    """A file, a row, a picture or a stored record is wrong."""


class PictureError(DataError):
    """One picture cannot be read, is refused, or is not the one it was.

    Args:
        ref: the picture: an `ImageRef`, or an `Address` where only what was shown is known.
        reason: what is wrong with it, without its name.
    """

    def __init__(self, ref: object, reason: str) -> None:
        super().__init__(ref, reason)
        self.ref = ref
        self.reason = reason

    def __str__(self) -> str:
        """Return the sentence: `picture root:path#page: reason`."""
        return f"picture {self.ref}: {self.reason}"


class IndexBusy(DataError):
    """Another process is writing the index; the same call may succeed later."""


class StorageError(DataError):
    """The disk is full, or a file or folder cannot be written; what was written before is kept."""


class ParityError(DataError):
    """The ids or pictures of a training sample are not those that the policy read when it wrote the turn."""


class ConfigError(VRetrverError, ValueError):
    """An option, an environment variable or a configuration file is wrong."""


class PolicyError(VRetrverError, RuntimeError):
    """A policy is misconfigured, or cannot be reached when it is first used."""


class PolicyInUse(PolicyError):
    """A policy serves one driver at a time, and another driver is using it."""


class Overloaded(VRetrverError, RuntimeError):
    """An engine's queue is full; the same request may be made again later."""


class EngineClosed(VRetrverError, RuntimeError):
    """An engine was closed, or its policy broke; it takes no queries any more."""


class ServiceError(VRetrverError, RuntimeError):
    """A remote service refused a request, could not be reached, or gave an answer that cannot be read.

    Args:
        message: one sentence.
        status: the HTTP status; None without an answer that could be read.
        words: the server's own explanation on one line, the key removed.
    """

    def __init__(self, message: str, *, status: int | None = None, words: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.words = words


class IndexMismatch(VRetrverError, ValueError):
    """Vectors or an index were made by an encoder other than the one in use."""


class MissingDependency(VRetrverError, ImportError):
    """A library that an extra provides is not installed."""
