"""Run python -m train.cards."""

import sys

from train.cards.main import main

if __name__ == "__main__":
    sys.exit(main())
