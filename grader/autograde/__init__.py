"""Grading with nbgrader, whose steps end in a verdict from outside the kernel."""
