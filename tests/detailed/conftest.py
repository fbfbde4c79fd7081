"""What the tests of the Detailed Simulation share; its folder makes ``guns`` importable from those below."""
