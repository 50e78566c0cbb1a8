"""Run accelerate launch -m train.retrieval."""

from train.common.launch import start_processes
from train.retrieval.train import main

if __name__ == "__main__":
    start_processes("train.retrieval")
    main()
