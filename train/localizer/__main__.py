"""Run accelerate launch -m train.localizer."""

from train.localizer.train import main

if __name__ == "__main__":
    main()
