"""The open Detailed Simulation: charged particles through field and material, their hits, and the tracks found."""
