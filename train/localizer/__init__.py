"""Phase 2 of the localizer: accelerate launch -m train.localizer."""
