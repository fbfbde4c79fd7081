"""The experimental protocol of neural extrapolators: trainings, measurements and answers from one command."""
