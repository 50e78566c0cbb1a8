"""Run python -m train.evaluate."""

import sys

from train.evaluate.main import main

if __name__ == "__main__":
    sys.exit(main())
