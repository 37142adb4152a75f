"""The command line with batches that are gathered and looked at without delay: `python -m tests.helpers.hurried ARGS`."""

from metaspo.models import batches, collecting

batches.SETTLED, collecting.FIRST_LOOK, collecting.LONGEST = 0.2, 0.05, 0.2

if __name__ == "__main__":
    from metaspo.cli.main import main

    main()
