"""Starts the command line: `python -m recsys COMMAND`."""

from recsys.command import main

if __name__ == "__main__":
    main()
