"""接入: what comes in from outside. Files that hold tables now; field protocols in rooms of their own later."""
