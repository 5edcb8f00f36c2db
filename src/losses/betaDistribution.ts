// Draws from the symmetric Beta distribution.

/**
 * A number 0 … 1 from Beta(alpha, alpha), computed from two draws of the same Gamma distribution as g1 / (g1 + g2).
 *
 * @param alpha - Above 0. Below 1 values near 0 and 1 are likely, above 1 values near one half.
 * @param random - Uniform numbers in [0, 1).
 */
export function drawBeta(alpha: number, random: () => number): number {
  // Computed in logarithms: for a small alpha, Gamma draws underflow to 0, and two of them give 0 / 0.
  return 1 / (1 + Math.exp(drawLogGamma(alpha, random) - drawLogGamma(alpha, random)));
}

/**
 * Logarithm of a draw of Gamma(shape, 1). Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000.
 */
function drawLogGamma(shape: number, random: () => number): number {
  if (shape < 1) return drawLogGamma(shape + 1, random) + Math.log(1 - random()) / shape;
  const d = shape - 1 / 3;
  for (;;) {
    const x = drawNormal(random);
    const root = 1 + x / Math.sqrt(9 * d);
    if (root <= 0) continue;
    const logOfCube = 3 * Math.log(root);
    if (Math.log(1 - random()) < x ** 2 / 2 + d * (1 - root ** 3 + logOfCube)) return Math.log(d) + logOfCube;
  }
}

/** A standard normal draw. Box and Muller, 1958. */
function drawNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
