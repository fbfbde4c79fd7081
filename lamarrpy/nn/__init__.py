"""Networks and what they are trained to: players, adversarial losses and penalties, flows, histograms."""
