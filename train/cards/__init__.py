"""Model cards from metrics.json: python -m train.cards."""
