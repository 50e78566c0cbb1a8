"""Run accelerate launch -m train.findings."""

from train.findings.train import main

if __name__ == "__main__":
    main()
