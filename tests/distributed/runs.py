"""What tests of several processes compare."""


def distance(found, expected):
    return float((found - expected).double().norm() / expected.double().norm())
