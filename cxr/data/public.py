"""Public data sets that may be fetched without an agreement, from where they are published.

Open-I: National Library of Medicine, https://openi.nlm.nih.gov/faq. NIH ChestX-ray14: addresses and
MD5 sums of the archives as the NIH Clinical Center publishes them at
https://nihcc.app.box.com/v/ChestXray-NIHCC, its table from a copy on the Hugging Face Hub, since
Box gives no address for it alone. CheXpert: its small version on Kaggle, with the reader's own key.
ChestX-Det10: boxes on NIH's films, from its authors' repository.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cxr.data.archives import entered, unpack
from cxr.data.download import download
from cxr.files import read_json, write_json
from cxr.hub import explained

MIRROR = "CXR_DATA_MIRROR"  # address of a server that has <set>/<file> for all of them
RECORD = "fetched.json"
OPENI, BOX = "https://openi.nlm.nih.gov/imgs/collections", "https://nihcc.box.com/shared/static"
NIH_TABLE = (
    "https://huggingface.co/datasets/alkzar90/NIH-Chest-X-ray-dataset/resolve/main/data/"
    "Data_Entry_2017_v2020.csv"
)
# The first commit names films as NIH does; later ones renumber them.
CHESTX_DET = (
    "https://raw.githubusercontent.com/Deepwise-AILab/ChestX-Det10-Dataset/"
    "0a9d918fc2974369b7346598eacdff5e5fb9f28c"
)
KAGGLE = "https://www.kaggle.com"
CHEXPERT = "/api/v1/datasets/download/ashery/chexpert"


@dataclass(frozen=True)
class Source:
    """A file of a data set. folder: where its content goes; "": it is no archive."""

    name: str
    url: str
    folder: str = ""
    md5: str = ""


_NIH = (  # part of the address, published MD5
    ("vfk49d74nhbxq3nqjg0900w5nvkorp5c", "fe8ed0a6961412fddcbb3603c11b3698"),
    ("i28rlmbvmfjbl8p2n3ril0pptcmcu9d1", "ab07a2d7cbe6f65ddd97b4ed7bde10bf"),
    ("f1t00wrtdk94satdfb9olcolqx20z2jp", "2301d03bde4c246388bad3876965d574"),
    ("0aowwzs5lhjrceb3qp67ahp0rd1l1etg", "9f1b7f5aae01b13f4bc8e2c44a4b8ef6"),
    ("v5e3goj22zr6h8tzualxfsqlqaygfbsn", "1861f3cd0ef7734df8104f2b0309023b"),
    ("asi7ikud9jwnkrnkj99jnpfkjdes7l6l", "456b53a8b351afd92a35bc41444c58c8"),
    ("jn1b4mw4n6lnh74ovmcjb8y48h8xj07n", "1075121ea20a137b87f290d6a4a5965e"),
    ("tvpxmn7qyrgl0w8wfh9kqfjskv6nmm1j", "b61f34cec3aa69f295fbb593cbd9d443"),
    ("upyy3ml7qdumlgk2rfcvlb9k6gvqq2pj", "442a3caa61ae9b64e61c561294d1e183"),
    ("l6nilvfa9cg3s28tqv1qc1olm3gnz54p", "09ec81c4c31e32858ad8cf965c494b74"),
    ("hhq8fkdgvcari67vfhs7ppg2w6ni4jze", "499aefc67207a5a97692424cf5dbeed5"),
    ("ioqwiy20ihqwyr8pf4c24eazhh281pbu", "dc9fda1757c2de0032b63347a7d2895c"),
)
NIH_ARCHIVES = len(_NIH)
CREDIT = {
    "openi": "Open-I, CC BY-NC-ND 4.0: cite Demner-Fushman et al. 2016",
    "nih-sample": "NIH ChestX-ray14: credit the NIH Clinical Center and link to "
    "https://nihcc.app.box.com/v/ChestXray-NIHCC; cite Wang et al. 2017",
    "chexpert": "CheXpert, Stanford's research use agreement: not for commercial use, not to be "
    "passed on; cite Irvin et al. 2019",
    "chestx-det": "ChestX-Det10, Apache-2.0, boxes on NIH's films: fetch it into the folder that "
    "holds them; cite Liu et al. 2020 (arXiv:2006.10550)",
}


def sources(name: str, archives: int = 1) -> tuple[Source, ...]:
    """The files of a data set.

    Args:
        name: of the set, a key of CREDIT.
        archives: how many of NIH's twelve to take, each of 2 to 4 GB.

    Raises:
        ValueError: an unknown set, or archives outside 1 to 12.
    """
    found: tuple[Source, ...]
    if name == "openi":
        found = (
            Source("NLMCXR_reports.tgz", f"{OPENI}/NLMCXR_reports.tgz", "reports"),
            Source("NLMCXR_png.tgz", f"{OPENI}/NLMCXR_png.tgz", "images"),
        )
    elif name == "nih-sample":
        if not 1 <= archives <= NIH_ARCHIVES:
            raise ValueError(f"expected 1 to {NIH_ARCHIVES} archives, got {archives}")
        found = (
            Source("Data_Entry_2017_v2020.csv", NIH_TABLE),
            *(
                Source(f"images_{number:03}.tar.gz", f"{BOX}/{part}.gz", f"images_{number:03}", md5)
                for number, (part, md5) in enumerate(_NIH[:archives], 1)
            ),
        )
    elif name == "chestx-det":
        found = tuple(
            Source(f"chestxdet10_{part}.json", f"{CHESTX_DET}/{part}.json")
            for part in ("train", "test")
        )
    elif name == "chexpert":
        base = os.environ.get("KAGGLE_API_ENDPOINT") or KAGGLE
        found = (Source("chexpert.zip", base.rstrip("/") + CHEXPERT, "chexpert"),)
    else:
        raise ValueError(f"expected one of {', '.join(CREDIT)}, got {name!r}")
    if mirror := os.environ.get(MIRROR):
        base = f"{mirror.rstrip('/')}/{name}"
        return tuple(replace(one, url=f"{base}/{one.name}") for one in found)
    return found


def fetch_set(
    name: str, out: Path, archives: int = 1, say: Callable[[str], None] = lambda line: None
) -> Path:
    """Download a data set and unpack it -> the folder that cxr.load_studies reads.

    What is there already is not fetched again; fetched.json in `out` records address, size and
    sha256 of each file. An archive is deleted once it is unpacked.

    Args:
        name: of the set, a key of CREDIT.
        out: the folder that it goes to.
        archives: as for `sources`.
        say: called with a line for each thing that happens.

    Raises:
        ValueError: as `sources`, cxr.data.download.download and cxr.data.archives.unpack; no key
            for Kaggle; another fetch to the same folder.
    """
    from filelock import FileLock, Timeout

    wanted = sources(name, archives)
    headers = _kaggle_login() if name == "chexpert" and not os.environ.get(MIRROR) else {}
    out = out.expanduser().absolute()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".fetch.lock", timeout=0):
            try:
                for source in wanted:
                    _fetch(source, out, headers, say)
            finally:
                (out / ".fetch.lock").unlink(missing_ok=True)
    except Timeout as error:
        raise ValueError(
            f"expected to be alone in {out}, another fetch is at work there; wait for it"
        ) from error
    return entered(out / "chexpert") if name == "chexpert" else out


def _fetch(source: Source, out: Path, headers: dict, say: Callable[[str], None]) -> None:
    record = read_json(out / RECORD, "a record of downloads") if (out / RECORD).exists() else {}
    place = out / (source.folder or source.name)
    if place.exists():
        say(f"{place} is there already")
        return
    file = out / source.name
    if not file.exists():
        received = download(source.url, file, source.md5, headers)
        record[source.name] = {"url": source.url, **vars(received)}
        write_json(out / RECORD, record)
        checked = f"md5 {source.md5} as published" if source.md5 else f"sha256 {received.sha256}"
        say(f"{source.name}: {received.size:,} bytes, {checked}")
    if source.folder:
        with explained(f"to unpack {file.name}", elsewhere="give another --out"):
            _unpack(file, place)
        say(f"unpacked to {place}")


def _unpack(file: Path, place: Path) -> None:
    """Unpack an archive beside its place, then give it its name, and delete the archive."""
    new = place.with_name(f".{place.name}.unpacking")
    shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
    try:
        unpack(file, new)
        os.rename(new, place)
    except BaseException as error:
        shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, ValueError):  # damaged: to be fetched again
            file.unlink()
        raise
    file.unlink()


def _kaggle_login() -> dict[str, str]:
    """The header that carries the reader's key for Kaggle.

    It is KAGGLE_API_TOKEN, KAGGLE_USERNAME with KAGGLE_KEY, or ~/.kaggle/kaggle.json.

    Raises:
        ValueError: there is none; says how to get one.
    """
    if token := os.environ.get("KAGGLE_API_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    user, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    folder = Path(os.environ.get("KAGGLE_CONFIG_DIR") or "~/.kaggle").expanduser()
    if not (user and key) and (folder / "kaggle.json").is_file():
        stored = read_json(folder / "kaggle.json", "a key for Kaggle")
        user, key = stored.get("username"), stored.get("key")
    if not (user and key):
        raise ValueError(
            "expected a key for Kaggle, found none; accept CheXpert's terms at "
            "https://stanfordmlgroup.github.io/competitions/chexpert/, create a key at "
            "https://www.kaggle.com/settings (Create New Token), put kaggle.json into ~/.kaggle "
            "or set KAGGLE_USERNAME and KAGGLE_KEY, and run this again"
        )
    word = base64.b64encode(f"{user}:{key}".encode()).decode()
    return {"Authorization": f"Basic {word}"}
