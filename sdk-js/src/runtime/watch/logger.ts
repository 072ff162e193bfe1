/** Where lines go: standard error, or the console of a browser, from the level on that `DHATU_LOG` names. */

import type { Event } from './events.js';
import { type Level, levelOf, line } from './log-lines.js';

const LEVELS: readonly string[] = ['debug', 'info', 'warning', 'error', 'off'];

/** Writes what is loud enough. */
export interface Logger {
  /** Whether events are written at all. */
  readonly tells: boolean;
  log(event: Event): void;
  /** Tells of an error that is not the caller's and must not reach them, unless the level is `off`. */
  reportFailure(what: string, error: unknown): void;
}

/** `level` is a level, `off`, or empty for errors alone; `name` begins each line, after time and level. */
export function loggerTo(level: string, name: string, wall: () => number): Logger {
  const least = LEVELS.indexOf(level || 'error');
  const write = (of: Level, message: string, ...more: readonly unknown[]) => {
    if (LEVELS.indexOf(of) < least) return;
    // Everything, since Node.js writes to standard output what is less than a warning.
    console.error(`${new Date(wall()).toISOString()} ${of.toUpperCase()} ${name}: ${message}`, ...more);
  };
  return {
    tells: least <= LEVELS.indexOf('warning'),
    log: (event) => write(levelOf(event), line(event)),
    reportFailure: (what, error) => write('error', what, error),
  };
}
