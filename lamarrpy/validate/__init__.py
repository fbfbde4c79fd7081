"""How well a simulation agrees with its reference: distances, classifiers, efficiencies and correlations."""
