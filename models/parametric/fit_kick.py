"""Fit the single kick of each closed-form field.

    python models/parametric/fit_kick.py > models/parametric/kick.yaml

writes the file anew; the fit itself is `lamarrpy.propagation.fit_single_kick`.
"""

from __future__ import annotations

from lamarrpy.field import magnetic_field
from lamarrpy.propagation.kick_fit import fit_single_kick, kick_residuals

HEADER = """\
# The single kick of each closed-form field, MagUp: momentum change dpx [MeV] of a particle of charge +1,
# and z_kick = b0 + b1 q/p + b2 (q/p)^2 with q/p in 1/MeV: [mm, mm MeV, mm MeV^2].
# Model: M. Barbetti, CERN-THESIS-2024-108, section 4.2.1 (dpx about 1.23 GeV).
# Fitted to tracks integrated through the field, from the origin to the end of the T stations, by
#   python models/parametric/fit_kick.py > models/parametric/kick.yaml
# residuals_at_mid_t: momentum [MeV]: [68 %, 95 %] of |x - truth| [mm] at z = 8520 mm, 2 < eta < 5.
fields:"""


def main() -> None:
    """Print models/parametric/kick.yaml."""
    print(HEADER)
    for kind in ("lhcb", "dipole_pair"):
        field = magnetic_field(kind)
        kick = fit_single_kick(field)
        b0, b1, b2 = kick.z_kick
        # b1 vanishes because the fields mirror themselves in x = 0; what the fit leaves is rounding
        print(f"  {kind}:\n    dpx: {kick.dpx:.2f}\n    z_kick: [{b0:.2f}, {abs(round(b1, 3))}, {b2:.5e}]")
        print("    residuals_at_mid_t:")
        for momentum in (2000, 3000, 5000, 10000, 20000, 50000):
            near, far = kick_residuals(field, kick, "mid_t", momentum)
            print(f"      {momentum}: [{near:.2f}, {far:.2f}]")


if __name__ == "__main__":
    main()
