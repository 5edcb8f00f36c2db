// The two products that a linear head is trained with, on plain arrays: narrower than what pays off on a backend, and
// summed in double precision.

/** Adds features [n, width] times coefficients [units, width], transposed, to logits [n, units]. */
export function addLogits(
  logits: Float64Array,
  features: Float32Array,
  coefficients: Float64Array,
  units: number,
): void {
  const rows = logits.length / units;
  const width = features.length / rows;
  for (let row = 0; row < rows; row++) {
    const at = row * width;
    let unit = 0;
    // Four units at once, so that a feature is read once for all of them.
    for (; unit + 4 <= units; unit += 4) {
      const first = unit * width;
      const second = first + width;
      const third = second + width;
      const fourth = third + width;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let i = 0; i < width; i++) {
        const value = features[at + i] ?? 0;
        a += value * (coefficients[first + i] ?? 0);
        b += value * (coefficients[second + i] ?? 0);
        c += value * (coefficients[third + i] ?? 0);
        d += value * (coefficients[fourth + i] ?? 0);
      }
      const place = row * units + unit;
      logits[place] = (logits[place] ?? 0) + a;
      logits[place + 1] = (logits[place + 1] ?? 0) + b;
      logits[place + 2] = (logits[place + 2] ?? 0) + c;
      logits[place + 3] = (logits[place + 3] ?? 0) + d;
    }
    for (; unit < units; unit++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += (features[at + i] ?? 0) * (coefficients[unit * width + i] ?? 0);
      const place = row * units + unit;
      logits[place] = (logits[place] ?? 0) + sum;
    }
  }
}

/** Adds residuals [n, units], transposed, times features [n, width] to a gradient [units, width]. */
export function addGradient(
  gradient: Float64Array,
  residuals: Float64Array,
  features: Float32Array,
  units: number,
): void {
  const rows = residuals.length / units;
  const width = features.length / rows;
  let row = 0;
  // Four rows at once, so that a sum is read and written once for all of them.
  for (; row + 4 <= rows; row += 4) {
    const first = row * width;
    const second = first + width;
    const third = second + width;
    const fourth = third + width;
    for (let unit = 0; unit < units; unit++) {
      const place = row * units + unit;
      const a = residuals[place] ?? 0;
      const b = residuals[place + units] ?? 0;
      const c = residuals[place + 2 * units] ?? 0;
      const d = residuals[place + 3 * units] ?? 0;
      const at = unit * width;
      for (let i = 0; i < width; i++) {
        gradient[at + i] =
          (gradient[at + i] ?? 0) +
          a * (features[first + i] ?? 0) +
          b * (features[second + i] ?? 0) +
          c * (features[third + i] ?? 0) +
          d * (features[fourth + i] ?? 0);
      }
    }
  }
  for (; row < rows; row++) {
    for (let unit = 0; unit < units; unit++) {
      const residual = residuals[row * units + unit] ?? 0;
      const at = unit * width;
      for (let i = 0; i < width; i++) {
        gradient[at + i] = (gradient[at + i] ?? 0) + residual * (features[row * width + i] ?? 0);
      }
    }
  }
}
