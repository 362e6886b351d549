"""Grading a class: many submissions in, grades and pages out."""
