/** Server-sent events of a byte stream, whatever its chunks (WHATWG HTML, section 9.2); without I/O. */

import { type LineSplitter, lineSplitter, MAX_LENGTH, OversizedError, type Payload } from './lines.js';

const LINE_COST = 8; // what an empty line of data takes in the list of lines

/** Takes the events of one connection apart; what the end of the body cuts off is not an event. */
export class EventDecoder {
  /** As of the last event that was complete, one without data included. */
  lastEventId: string;
  /** Time to wait before reconnecting, where the server has said so. */
  retryMs: number | undefined;
  readonly #maxLength: number;
  readonly #lines: LineSplitter;
  #data: string[] = [];
  #length = 0;
  #event = '';
  #id: string;

  /**
   * The standard begins without an id on each connection; browsers go on with the last one, so that an event without an
   * id does not make the stream forget where it stands.
   */
  constructor(lastEventId = '', maxLength = MAX_LENGTH) {
    this.lastEventId = this.#id = lastEventId;
    this.#maxLength = maxLength;
    this.#lines = lineSplitter(/\r\n?|\n/, maxLength);
  }

  /** The events that end in this chunk; throws `OversizedError`. */
  feed(chunk: Uint8Array): Payload[] {
    const events: Payload[] = [];
    for (const line of this.#lines.feed(chunk)) {
      if (line) this.#field(line);
      else this.#dispatch(events);
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value[0] === ' ') value = value.slice(1);
    // A comment has an empty name; unknown fields are ignored.
    if (name === 'data') {
      this.#data.push(value);
      this.#length += value.length + LINE_COST;
      if (this.#length > this.#maxLength) throw new OversizedError(this.#maxLength);
    } else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d{1,15}$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(events: Payload[]): void {
    this.lastEventId = this.#id;
    if (this.#data.length)
      events.push({
        data: this.#data.join('\n'),
        event: this.#event || 'message',
        id: this.#id,
        retryMs: this.retryMs,
      });
    this.#data = [];
    this.#length = 0;
    this.#event = '';
  }
}

/**
 * The data of server-sent events; events without any keep the connection alive and hold nothing.
 *
 * Neither does `[DONE]`, with which many APIs end a series of JSON, unless the data is text. What is called `error`
 * always counts.
 */
export class EventPayloads {
  lastEventId = '';
  retryMs: number | undefined;
  readonly #isText: boolean;
  #events = new EventDecoder();

  constructor(isText = false) {
    this.#isText = isText;
  }

  feed(chunk: Uint8Array): Payload[] {
    const events = this.#events.feed(chunk);
    this.lastEventId = this.#events.lastEventId;
    this.retryMs = this.#events.retryMs ?? this.retryMs;
    return events.filter(
      ({ data, event }) => event === 'error' || (data && (this.#isText || data !== '[DONE]')),
    );
  }

  finish(): Payload[] {
    return [];
  }

  restart(): void {
    this.#events = new EventDecoder(this.lastEventId);
  }
}
