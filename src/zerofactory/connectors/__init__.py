"""接入: what comes in from outside: files that hold tables, field devices over their protocols, the spool that keeps it."""
