"""``python -m zerofactory.cli`` is the command ``zf``."""

from zerofactory.cli.main import main

main()
