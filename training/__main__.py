"""Starts the command line: `python -m training VERB`."""

from training.cli import main

if __name__ == "__main__":
    main()
