"""Training of the generator: accelerate launch -m train.gan."""
