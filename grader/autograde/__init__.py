"""nbgrader's steps as this course takes them: the verdict comes from outside."""
