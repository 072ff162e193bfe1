/** Sums that do not depend on the order of what is added. */

/** The sum, with what rounding lost at each step added in the end (Neumaier 1974), as Python's `sum` has it. */
export function sum(values: readonly number[]): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}
