"""Run accelerate launch -m train.gan."""

from train.gan.train import main

if __name__ == "__main__":
    main()
