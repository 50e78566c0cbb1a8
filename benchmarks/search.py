"""Milliseconds of a typed query over a large gallery, by all evidence and by images alone.

    python -m benchmarks.search --studies 10000 --queries tests/queries/development.tsv

The gallery repeats another one with a little noise on its embeddings, so that labels and cosines
are spread as they are there. Both ways are timed in turn in one process.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from cxr.gallery import Gallery
from cxr.retrieval import Retriever
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
    return replace(
        gallery,
        studies=studies,
        embeddings=embeddings,
        _nearest=nearest,
        _attributes=Attributes(studies),
    )


def milliseconds(retriever: Retriever, texts: list[str]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of a query's time, for each kind of evidence."""
    took: dict[str, list[float]] = {"all": [], "image": []}
    for text in texts:
        for evidence, times in took.items():
            start = time.perf_counter()
            try:
                retriever.search(text, 12, evidence=evidence)
            except ValueError:  # a query that is refused takes its time too
                pass
            times.append(1000 * (time.perf_counter() - start))
    return {
        name: {"p50_ms": round(float(np.median(times)), 1), "p95_ms": round(_p95(times), 1)}
        for name, times in took.items()
    }


def _p95(times: list[float]) -> float:
    return float(np.quantile(times, 0.95))


def main(argv: list[str] | None = None) -> None:
    """Print the times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", default="weights/retrieval")
    parser.add_argument("--gallery", default="examples/gallery")
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--queries", type=Path, default=Path("tests/queries/development.tsv"))
    options = parser.parse_args(argv)
    texts = [query.text for query in read_queries(options.queries)]
    retriever = Retriever.load(options.weights, options.gallery)
    with tempfile.TemporaryDirectory() as folder:
        retriever.gallery = enlarged(retriever.gallery, options.studies, Path(folder))
        milliseconds(retriever, texts[:5])  # what is prepared at the first query
        print(json.dumps({"studies": options.studies, **milliseconds(retriever, texts)}))


if __name__ == "__main__":
    main()
