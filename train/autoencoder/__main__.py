"""Run accelerate launch -m train.autoencoder."""

from train.autoencoder.train import main

if __name__ == "__main__":
    main()
