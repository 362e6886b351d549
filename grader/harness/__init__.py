"""Runs submissions in processes of their own and writes down what happened."""
