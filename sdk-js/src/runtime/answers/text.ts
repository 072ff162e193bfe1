/** Answers that are text. */

import { parameterOf } from '../media.js';

/** Text in the charset that its media type names, UTF-8 where it names none that is known. */
export function textOf(contentType: string, content: Uint8Array): string {
  const decoder = (charset: string) => new TextDecoder(charset);
  try {
    return decoder(parameterOf(contentType, 'charset') || 'utf-8').decode(content);
  } catch {
    return decoder('utf-8').decode(content);
  }
}
