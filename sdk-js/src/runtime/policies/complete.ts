/** Policies as a caller writes them, made whole. */

import { ConfigurationError } from '../errors/local.js';

/** The defaults, and what the caller said instead; throws `ConfigurationError` for what is no such setting. */
export function complete<T extends object>(name: string, defaults: T, given: Partial<T> | undefined): T {
  const found: T = { ...defaults };
  for (const key in given) {
    const value = given[key];
    if (value === undefined) continue;
    if (typeof value !== typeof defaults[key] || Number.isNaN(value))
      throw new ConfigurationError(
        `resilience.${name}.${key} ${key in defaults ? 'must be a number' : 'is unknown'}`,
      );
    found[key] = value;
  }
  return found;
}
