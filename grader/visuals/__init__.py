"""Pictures and widgets that show what happened; each has a text form too."""
