"""Run accelerate launch -m train.retrieval."""

from train.retrieval.train import main

if __name__ == "__main__":
    main()
