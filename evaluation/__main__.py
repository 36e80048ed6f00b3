"""Starts the command line: `python -m evaluation VERB`."""

from evaluation.cli import main

if __name__ == "__main__":
    main()
