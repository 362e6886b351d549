"""Walls around the processes of a submission: bubblewrap, Landlock, seccomp."""
