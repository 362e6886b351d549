"""What a teacher hands out: to a class, to Gradescope, to GitHub Classroom."""
