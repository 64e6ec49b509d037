"""Rules of alarms, one file each; defaults and their sources in `parameters.csv`."""
