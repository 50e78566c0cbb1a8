"""What can go wrong between this machine and the Hub, in one line each; and trying again."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Result = TypeVar("_Result")

WAITS = (1, 2, 4)  # seconds before each further attempt
LONGEST = 60  # seconds that a server may ask for
_BUSY = (408, 429, 500, 502, 503, 504)
ELSEWHERE = "set HF_HOME to a folder on another disk"
LOG_IN = "log in with: hf auth login (or set HF_TOKEN)"


def patiently(call: Callable[[], _Result]) -> _Result:
    """What call() gives, tried again a few times while a server says that it is busy."""
    for wait in (*WAITS, None):
        try:
            return call()
        except Exception as error:
            response = getattr(_first(error, "response"), "response", None)
            if wait is None or response is None or response.status_code not in _BUSY:
                raise
            asked = response.headers.get("Retry-After", "")
            time.sleep(min(int(asked), LONGEST) if asked.isdecimal() else wait)
    raise AssertionError("unreachable")


@contextmanager
def explained(aim: str, name: str = "", elsewhere: str = ELSEWHERE) -> Iterator[None]:
    """Turn whatever fails inside into a ValueError of one line.

    aim: what was expected, such as "to fetch hf://owner/name". name: the repository, owner/name.
    elsewhere: how to have the files on another disk.
    """
    try:
        yield
    except ValueError as error:
        if type(error) is ValueError:  # one of ours, or plain enough
            raise
        raise ValueError(f"expected {aim}, {_reason(error, name, elsewhere)}") from error
    except Exception as error:  # the network, the disk and the Hub share no base class
        raise ValueError(f"expected {aim}, {_reason(error, name, elsewhere)}") from error


def _reason(error: BaseException, name: str, elsewhere: str) -> str:
    """What came instead, and the remedy."""
    known = (_disk(error, elsewhere), _refused(error, name), _cached(error), _unreachable(error))
    if any(known):
        return next(filter(None, known))
    line = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"got: {line}; check the name and the network"


def _disk(error: BaseException, elsewhere: str) -> str:
    if "Consistency check failed" in str(error):
        return "got only a part of a file; run this again: it goes on where it stopped"
    system = _first(error, "errno", OSError)
    if not isinstance(system, OSError):
        return ""
    if system.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"the disk is full; make room, or {elsewhere}, and run this again: it goes on "
            "where it stopped"
        )
    if system.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return f"may not write to {system.filename}; {elsewhere}"
    return ""


def _refused(error: BaseException, name: str) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    status = getattr(getattr(error, "response", None), "status_code", None)
    if not name:  # another server than the Hub
        return (
            f"got {status}: the key is not valid, or may not do this"
            if status in (401, 403)
            else ""
        )
    if isinstance(error, GatedRepoError):
        return (
            f"got {status}: it is gated and you were not let in yet; ask for access at "
            f"{constants.ENDPOINT}/{name}, then {LOG_IN}"
        )
    if isinstance(error, RevisionNotFoundError):
        return "the repository has no such revision; give a branch, a tag or a commit that it has"
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"got {status}: there is no such repository, or it is private; check the name, or "
            f"{LOG_IN}"
        )
    if status == 401:
        return f"got 401: the token is not valid; {LOG_IN}"
    if status == 403:
        return (
            "got 403: the token may not do this; make one that may at "
            f"{constants.ENDPOINT}/settings/tokens"
        )
    return ""


def _cached(error: BaseException) -> str:
    from huggingface_hub.errors import (
        IncompleteSnapshotError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    if isinstance(error, IncompleteSnapshotError):
        return (
            "only a part of it was downloaded, and the Hub cannot be reached; run this again "
            "with a network: it goes on where it stopped"
        )
    if isinstance(error, OfflineModeIsEnabled) or isinstance(error.__cause__, OfflineModeIsEnabled):
        return (
            "HF_HUB_OFFLINE=1 is set and nothing is cached; unset it once with a network, or "
            "give a local folder"
        )
    if isinstance(error, LocalEntryNotFoundError):
        cause = error.__cause__
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if status is not None:
            return f"got {status} from the Hub and nothing is cached; try again later"
        return (
            f"the Hub did not answer ({_short(cause or error)}) and nothing is cached; check "
            "the network and run this again, or give a local folder"
        )
    return ""


def _unreachable(error: BaseException) -> str:
    response = getattr(_first(error, "response"), "response", None)
    if response is not None:
        later = "try again later" if response.status_code in _BUSY else "check the address"
        return f"got {response.status_code} from the server; {later}"
    if type(error).__module__.startswith("httpx"):
        return (
            f"the server did not answer ({_short(error)}); check the network and run this "
            "again: it goes on where it stopped"
        )
    return ""


def _short(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _first(
    error: BaseException | None, attribute: str, kind: type = BaseException
) -> BaseException | None:
    """The first in the chain of causes of a kind that has an attribute, and not None there."""
    while error is not None:
        if isinstance(error, kind) and getattr(error, attribute, None) is not None:
            return error
        error = error.__cause__
    return None
