"""Run python -m train.reporting."""

import sys

from train.reporting.train import main

if __name__ == "__main__":
    sys.exit(main())
