"""Every number that the project reports: python -m train.evaluate."""
