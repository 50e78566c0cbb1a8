"""Phase 1 of the localizer: accelerate launch -m train.autoencoder."""
