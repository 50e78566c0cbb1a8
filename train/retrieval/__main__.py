"""Run accelerate launch -m train.retrieval."""

from train.common.launch import start_all
from train.retrieval.train import main

if __name__ == "__main__":
    start_all("train.retrieval")
    main()
