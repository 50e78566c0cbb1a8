"""A light decoder of the shared image encoder's patch features, trained on all masks at once."""
