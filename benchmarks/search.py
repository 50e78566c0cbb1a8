"""Milliseconds of a typed query over a large gallery, by all evidence and by images alone.

    python -m benchmarks.search --studies 10000 --queries tests/queries/development.tsv

The gallery repeats another one with a little noise on its embeddings, so that labels and cosines
are spread as they are there. Beside both ways stands the cosine alone: text encoder and nearest
vectors, without reading the query. All are timed in turn in one process, by the clock and by what
the processor spent, which other programs on the machine change less. --json writes the file that
`train.evaluate search --speed` takes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cxr.gallery import Gallery
from cxr.retrieval import Retriever
from train.common.energy import hardware
from train.evaluate.search_queries import read_queries


def enlarged(gallery: Gallery, count: int, folder: Path) -> Gallery:
    """A gallery of `count` studies made of another's, without images."""
    from cxr.gallery.filter import Attributes
    from cxr.gallery.index import NearestVectors, write_index

    random = np.random.default_rng(0)
    rows = np.resize(np.arange(len(gallery.studies)), count)
    vectors = np.asarray(gallery.embeddings[rows], np.float32)
    vectors += random.normal(0, 0.02, vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    embeddings = vectors.astype(np.float16)
    studies = [replace(gallery.studies[row], id=f"s{n}") for n, row in enumerate(rows)]
    write_index(embeddings, folder / "index.faiss")
    nearest = NearestVectors.open(folder / "index.faiss", embeddings)
    logits = gallery.logits
    if logits is not None:
        logits = replace(logits, values=logits.values[rows])
    return replace(
        gallery,
        logits=logits,
        studies=studies,
        embeddings=embeddings,
        _nearest=nearest,
        _attributes=Attributes(studies),
    )


def milliseconds(retriever: Retriever, texts: list[str]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of a query's time, for each way to search."""
    ways = {
        "all": lambda text: retriever.search(text, 12),
        "image": lambda text: retriever.search(text, 12, evidence="image"),
        "cosine": lambda text: retriever.gallery.search(retriever.encode_query([text])[0], 12),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for text in texts:
        for name, ask in ways.items():
            start, busy = time.perf_counter(), time.process_time()
            try:
                ask(text)
            except ValueError:  # a query that is refused takes its time too
                pass
            took[name].append((time.perf_counter() - start, time.process_time() - busy))
    return {name: _summary(1000 * np.array(times)) for name, times in took.items()}


def _summary(times: np.ndarray) -> dict[str, float]:
    """Of milliseconds by the clock and of the processor, float [Q, 2]."""
    clock, busy = times.T
    found = {"p50_ms": np.median(clock), "p95_ms": _p95(clock), "p50_cpu_ms": np.median(busy)}
    return {name: round(float(value), 1) for name, value in found.items()}


def _p95(times: np.ndarray) -> float:
    return float(np.quantile(times, 0.95))


def main(argv: list[str] | None = None) -> None:
    """Print the times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", default="weights/retrieval")
    parser.add_argument("--gallery", default="examples/gallery")
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--queries", type=Path, default=Path("tests/queries/development.tsv"))
    parser.add_argument("--json", type=Path, help="file to write the times to")
    options = parser.parse_args(argv)
    texts = [query.text for query in read_queries(options.queries)]
    retriever = Retriever.load(options.weights, options.gallery)
    with tempfile.TemporaryDirectory() as folder:
        retriever.gallery = enlarged(retriever.gallery, options.studies, Path(folder))
        milliseconds(retriever, texts[:5])  # what is prepared at the first query
        threads = torch.get_num_threads()
        result = {
            "studies": options.studies,
            "queries": len(texts),
            "hardware": f"{threads} thread{'s' * (threads != 1)} of {hardware()}",
            **milliseconds(retriever, texts),
        }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
