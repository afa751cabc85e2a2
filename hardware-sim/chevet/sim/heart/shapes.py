"""The shapes of P, QRS, ST and T as a moving dipole.

Each wave is a sum of bell curves along fixed directions (Sameni et al. 2007, doi 10.1155/2007/43407, after
McSharry et al. 2003, doi 10.1109/TBME.2003.808805), here in seconds after the wave's onset instead of an
angle, so that a slow heart does not broaden its QRS. Axes are Frank's: x to the patient's left, y to the
feet, z to the back, in mV. Directions follow the order of activation: septum to the right and front, left
ventricle to the left, feet and back, base last; repolarisation points the other way where conduction is
abnormal.
"""

from dataclasses import dataclass, replace

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Bell:
    """One bell curve.

    Attributes:
        at_s: its peak, after the onset of the wave.
        left_s, right_s: its standard deviation before and after the peak.
        towards: the dipole at the peak, mV.
    """

    at_s: float
    left_s: float
    right_s: float
    towards: Vector


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of ventricular beat.

    Attributes:
        qrs: bells after the onset of QRS.
        qrs_s: length of QRS.
        r_s: the tallest deflection, after the onset of QRS.
        st: dipole during the ST segment (injury current), mV.
        t: dipole at the peak of T, mV.
        t_rise_s, t_fall_s: standard deviations of T before and after its peak.
        qtc_s: QT at an interval of 1 s.
    """

    qrs: tuple[Bell, ...]
    qrs_s: float
    r_s: float
    st: Vector
    t: Vector
    t_rise_s: float = 0.060
    t_fall_s: float = 0.033
    qtc_s: float = 0.393


def _even(at_s: float, width_s: float, towards: Vector) -> Bell:
    return Bell(at_s, width_s, width_s, towards)


def _main(grow: float = 1.0) -> tuple[Bell, ...]:
    """Left ventricle and base; the septum is set apart because infarction takes it away."""
    return (
        _even(0.041, 0.0092, (1.18 * grow, 0.88 * grow, 0.17 * grow)),
        _even(0.056, 0.0090, (0.34 * grow, 0.25 * grow, 0.88 * grow)),
        _even(0.072, 0.0085, (-0.20, -0.11, 0.22)),
    )


_SEPTUM = _even(0.024, 0.0085, (-0.16, -0.07, -0.44))

NORMAL = Shape((_SEPTUM, *_main()), qrs_s=0.092, r_s=0.043, st=(0.02, 0.015, -0.035), t=(0.39, 0.135, -0.28))
CHILD = Shape(
    (
        _even(0.021, 0.0072, (-0.18, -0.12, -0.55)),
        _even(0.034, 0.0076, (1.05, 1.00, 0.02)),
        _even(0.046, 0.0075, (0.15, 0.30, 0.55)),
        _even(0.058, 0.0070, (-0.30, -0.10, 0.10)),
    ),
    qrs_s=0.076,
    r_s=0.035,
    st=(0.02, 0.015, -0.02),
    t=(0.33, 0.26, 0.13),
    t_rise_s=0.048,
    t_fall_s=0.031,
    qtc_s=0.400,
)
"""A young child's right ventricle still weighs more: tall R and inverted T over V1 to V3."""

LEFT_VENTRICLE_STRAINED = Shape(
    (_SEPTUM, *_main(1.35)), qrs_s=0.098, r_s=0.044, st=(-0.05, -0.02, -0.10), t=(-0.14, 0.02, -0.28)
)
ANTERIOR_INFARCTION = Shape(
    (_even(0.022, 0.0080, (-0.05, -0.06, 0.22)), *_main(0.85)),
    qrs_s=0.096,
    r_s=0.043,
    st=(0.15, -0.12, -0.21),
    t=(0.38, 0.08, -0.42),
    t_rise_s=0.066,
)
INFERIOR_INFARCTION = Shape(
    (_even(0.022, 0.0085, (0.06, -0.34, -0.26)), *_main(0.85)),
    qrs_s=0.096,
    r_s=0.043,
    st=(-0.06, 0.24, 0.07),
    t=(0.14, 0.42, -0.10),
    t_rise_s=0.064,
)
LEFT_BUNDLE_BLOCK = Shape(
    (
        _even(0.030, 0.0100, (0.36, 0.42, 0.14)),
        _even(0.060, 0.0120, (0.95, 0.62, 0.95)),
        _even(0.090, 0.0100, (0.36, -0.08, 0.62)),
        _even(0.120, 0.0125, (0.82, -0.34, 0.62)),
    ),
    qrs_s=0.150,
    r_s=0.060,
    st=(-0.07, -0.02, -0.15),
    t=(-0.30, -0.08, -0.34),
    t_rise_s=0.060,
    t_fall_s=0.038,
    qtc_s=0.450,
)
"""Septum from right to left, then the left wall from below upwards: notched, and a loop that no lead sees
edge-on, so that a lead across the axis shows a small biphasic complex."""
PREMATURE = Shape(
    (
        _even(0.034, 0.0120, (0.44, 0.96, -0.22)),
        _even(0.066, 0.0130, (1.19, 1.54, 1.32)),
        _even(0.092, 0.0085, (0.09, 0.48, 0.62)),
        _even(0.118, 0.0120, (-0.40, -0.48, 0.53)),
    ),
    qrs_s=0.148,
    r_s=0.064,
    st=(-0.10, -0.16, -0.12),
    t=(-0.37, -0.49, -0.40),
    t_rise_s=0.062,
    t_fall_s=0.040,
    qtc_s=0.445,
)
"""From the right ventricle's outflow: like left bundle branch block, pointing to the feet.

As steep against the sinus beats as ventricular beats of the MIT-BIH Arrhythmia Database are (median of the
steepest slopes about 1, of heights 1.1 with extremes of 0.5 and 3.5; doi 10.13026/C2F305)."""

ESCAPE = Shape(
    (
        _even(0.035, 0.012, (0.75, -0.25, 0.10)),
        _even(0.063, 0.015, (0.45, -0.75, 0.15)),
        _even(0.105, 0.016, (-0.55, -0.35, -0.55)),
    ),
    qrs_s=0.148,
    r_s=0.063,
    st=(-0.02, 0.05, 0.06),
    t=(0.28, 0.34, 0.18),
    t_rise_s=0.072,
    t_fall_s=0.045,
    qtc_s=0.440,
)
"""From the left ventricle's back: like right bundle branch block with the axis to the left."""

P_WAVE = (
    _even(0.036, 0.0150, (0.035, 0.085, -0.050)),
    _even(0.064, 0.0160, (0.070, 0.065, 0.045)),
)
"""Right atrium to the front, left atrium to the back: upright in II, biphasic in V1."""
P_WAVE_S = 0.100
P_WAVE_BROAD = (
    replace(P_WAVE[0], right_s=0.020),
    replace(P_WAVE[1], at_s=0.082, left_s=0.020, towards=(0.100, 0.065, 0.090)),
)
"""A large left atrium: notched in II, deep terminal part in V1."""
P_WAVE_BROAD_S = 0.124


def stretched(shape: Shape, width: float, qt: float) -> Shape:
    """Return `shape` with QRS `width` times as wide and QT `qt` times as long."""
    qrs = tuple(
        Bell(bell.at_s * width, bell.left_s * width, bell.right_s * width, bell.towards) for bell in shape.qrs
    )
    return replace(shape, qrs=qrs, qrs_s=shape.qrs_s * width, r_s=shape.r_s * width, qtc_s=shape.qtc_s * qt)
