"""What a learner has proved, written down so that anybody can prove it again."""
