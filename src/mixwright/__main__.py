"""`python -m mixwright` is `mixwright`."""

from mixwright.cli.main import main

main()
