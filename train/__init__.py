"""Training and evaluation scripts; run as `accelerate launch -m train.<name>`."""
