/** Arguments and options that there are none of. Loaded where a call has one. */

import { ArgumentError } from '../errors/local.js';
import type { Invocation } from '../origin.js';
import { argumentsOf, isOption } from './request.js';
import { membersOf } from './values.js';

/** JavaScript takes any object: a name that nobody reads would be lost without a word. */
export function unknownError({ operation, arguments: args, options }: Invocation): ArgumentError {
  const names = argumentsOf(operation);
  const found = membersOf(args).find(([name]) => !names.has(name));
  const [name = ''] = found ?? membersOf({ ...options }).find(([name]) => !isOption(name)) ?? [];
  const argument = isOption(name) ? 'an option: pass it in the object after the parameters' : 'no parameter';
  const option = names.has(name) ? 'a parameter: pass it in the object before the options' : 'no option';
  return new ArgumentError(`${operation.key}: ${name} is ${found ? argument : option}`);
}
