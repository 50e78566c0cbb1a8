"""The data set card of a gallery: what it holds, counted from its own table, and what it is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cxr.data import STUDIES, SYNTHETIC
from cxr.findings import FINDINGS, Study

CARD = "README.md"
_LICENCES = (
    "cc0-1.0",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-nc-nd-4.0",
)  # the Hub's names
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_CARD = """# {name}: a gallery of chest X-rays

{films:,} chest X-rays of {patients:,} patients, with an embedding of each, to be searched by words or by a film in
CXR Reading Room. {synthetic}

```bash
CXR_GALLERY=hf://datasets/{repository} python app.py
```

## Intended use

Teaching: finding films that show what a trainee looks for, and comparing them.

## Out of scope

**Any clinical use.** No film, label or similarity here may play a part in the care of a patient. For education, not
for diagnosis. Nor may anyone try to find out who a film is of.

## Source and licence

| | |
| :-- | :-- |
| source | {source} |
| licence | {licence} |

{licences}

## What it holds

{findings}

{sexes}

{views}

Labels of public data sets are often mined from reports by software and are noisy; a finding that is not listed for a
film was not necessarily looked for. {reports:,} films carry the text of a report.

## Files

| file | content |
| :-- | :-- |
| `{table}` | one row a film: source, patient, view, sex, age, findings (1 present, 0 absent, -1 uncertain), report, licence |
| `images/` | the films, named by the sha256 of their content |
| `embeddings.npy`, `index.faiss` | unit vectors of the encoder `{encoder}` (its sha256), and an index over them |
| `gallery.json` | format {version}, encoder, source, licence |
"""  # noqa: E501


def gallery_card(info: Mapping, studies: Sequence[Study], repository: str) -> str:
    """The card as Markdown with the Hub's front matter.

    Args:
        info: Gallery.info().
        studies: of the gallery.
        repository: owner/name.
    """
    from huggingface_hub import DatasetCard, DatasetCardData  # slow to import, seldom needed

    made = sum(study.source.startswith(SYNTHETIC) for study in studies)
    data = DatasetCardData(
        license=_licence(studies),
        language="en",
        size_categories=next((name for most, name in _SIZES if len(studies) < most), "n>1M"),
        tags=["chest-x-ray", "medical-education", *(["synthetic"] if made else [])],
        configs=[{"config_name": "default", "data_files": STUDIES}],
    )
    text = _CARD.format(
        name=repository.partition("/")[2],
        repository=repository,
        films=len(studies),
        patients=info["patients"],
        synthetic=_synthetic(made, len(studies)),
        source=_cell(info.get("source")),
        licence=_cell(info.get("licence")),
        licences=_table("licence of a film", Counter(study.licence for study in studies).items()),
        findings=_findings(studies),
        sexes=_table("sex", info["sexes"].items()),
        views=_table("view", info["views"].items()),
        reports=sum(study.report is not None for study in studies),
        table=STUDIES,
        encoder=info["encoder"],
        version=info["format_version"],
    )
    return str(DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{text}"))


def _licence(studies: Iterable[Study]) -> str:
    """The Hub's name for the licence that all films share, else "other"."""
    names = {study.licence.strip().lower().replace(" ", "-") for study in studies}
    name = names.pop() if len(names) == 1 else ""
    name = {"cc0": "cc0-1.0"}.get(name, name)
    return name if name in _LICENCES else "other"


def _synthetic(made: int, total: int) -> str:
    if made == total:
        return "All of them are **synthetic**, made by a generator; none is of a patient."
    if made:
        return f"{made:,} of them are **synthetic**, made by a generator; the others are real."
    return "None of them is synthetic."


def _findings(studies: Iterable[Study]) -> str:
    counts = Counter(item for study in studies for item in study.findings.items())
    rows = ["| finding | present | uncertain | absent |", "| :-- | --: | --: | --: |"]
    for name in FINDINGS:
        present, uncertain, absent = (counts[name, value] for value in (1, -1, 0))
        if present or uncertain or absent:
            rows.append(f"| {name} | {present:,} | {uncertain:,} | {absent:,} |")
    return "\n".join(rows)


def _table(title: str, counts: Iterable[tuple[str, int]]) -> str:
    rows = [f"| {title} | films |", "| :-- | --: |"]
    rows += [f"| {_cell(name)} | {count:,} |" for name, count in counts]
    return "\n".join(rows)


def _cell(text: object) -> str:
    """What someone wrote, on one line of a table and without markup."""
    words = " ".join(str(text or "not stated").split())
    return words.replace("|", "\\|").replace("<", "&lt;")
