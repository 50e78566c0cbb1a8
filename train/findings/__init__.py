"""The network that reads findings off the pixels: accelerate launch -m train.findings."""
