"""Training of the retrieval model: accelerate launch -m train.retrieval."""
