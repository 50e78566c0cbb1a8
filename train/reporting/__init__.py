"""Calibration of the report suggester: python -m train.reporting."""
