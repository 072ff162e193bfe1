/** What hardly any request or answer has. Loaded where one does. */

import type { Answer } from '../wire.js';

/** Browsers hide where a redirect leads, and even its status; it is no failure that would go away. */
export function redirected(): Answer {
  const detail = 'the server sends us elsewhere, where no credential may follow; set baseURL to that place';
  return {
    status: 302,
    headers: new Headers({ 'content-type': 'application/problem+json' }),
    content: new TextEncoder().encode(JSON.stringify({ title: 'Redirect', detail })),
    attempts: 1,
  };
}

/** Takes user and password out of an address, where fetch takes none, and gives the `Authorization` they stand for. */
export function takenUser(url: URL): string {
  const pair = new TextEncoder().encode(decodeURIComponent(`${url.username}:${url.password}`));
  url.username = url.password = '';
  return `Basic ${btoa(String.fromCharCode(...pair))}`;
}
