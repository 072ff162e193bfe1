/** What a call puts into its body. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BodySpec } from '../../src/runtime/call.js';
import { bytesBody } from '../../src/runtime/encoding/bytes.js';
import { formBody } from '../../src/runtime/encoding/forms.js';
import { jsonBody } from '../../src/runtime/encoding/json.js';
import { linesBody } from '../../src/runtime/encoding/lines.js';
import { multipartBody } from '../../src/runtime/encoding/multipart.js';
import { textBody } from '../../src/runtime/encoding/text.js';
import { ask, headersOf, operation, text } from './asking.js';

const JSON_BODY = jsonBody(['text', { argument: 'className', name: 'class' }]);
const WRITE = operation({ method: 'POST', bodies: [JSON_BODY, bytesBody('content')], bodyRequired: true });

function posting(...bodies: BodySpec[]) {
  return operation({ method: 'POST', bodies });
}

function refused(message: RegExp) {
  return { name: 'ArgumentError', message };
}

describe('JSON', () => {
  const json = (value: unknown) => text(ask(WRITE, { text: value }));

  test('holds the members under their wire names', async () => {
    const request = ask(WRITE, { text: null, className: new Date('2026-08-21T00:00:00Z') });
    assert.equal(headersOf(request)['content-type'], 'application/json');
    assert.equal(await text(request), '{"text":null,"class":"2026-08-21T00:00:00Z"}');
    assert.equal(await text(ask(WRITE, { text: 'ś', className: undefined })), '{"text":"ś"}');
  });

  test('is what JSON.stringify writes', async () => {
    for (const value of [
      0,
      -1.5e300,
      1e21,
      true,
      '\u2028"\\\n\u0000ॐ😀\\ud800',
      [],
      [[], {}, [null, { a: [1, 'b'] }]],
      { b: { c: 1 }, a: 2, 'x/y': [] },
      Object.assign(Object.create(null), { a: 1 }),
      new URL('https://a.test/'),
      { toJSON: () => ({ now: 'so' }) },
    ])
      assert.equal(await json(value), `{"text":${JSON.stringify(value)}}`);
  });

  test('takes what JSON.stringify does not', async () => {
    assert.equal(await json(2n ** 64n), '{"text":18446744073709551616}');
    assert.equal(await json([-(2n ** 64n)]), '{"text":[-18446744073709551616]}');
    assert.equal(await json(new Set(['a', 'b'])), '{"text":["a","b"]}');
    assert.equal(await json({ a: undefined, b: 1 }), '{"text":{"b":1}}');
    assert.equal(await json(new Date('2026-08-21T09:30:00.250Z')), '{"text":"2026-08-21T09:30:00.250000Z"}');
    assert.equal(await json(JSON.parse('{"__proto__":1}')), '{"text":{"__proto__":1}}');
  });

  test('of any other kind is refused, and where it is is said', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    for (const [value, message] of [
      [Number.POSITIVE_INFINITY, /the body cannot be written as JSON: \/text is Infinity/],
      [{ a: [1, () => 1] }, /\/text\/a\/1 is of type Function/],
      [[undefined], /\/text\/0 is of type Undefined/],
      [{ a: Symbol('s') }, /\/text\/a is of type Symbol/],
      [Promise.resolve(1), /\/text is of type Promise/],
      [new Uint8Array(2), /\/text is of type Uint8Array/],
      [new Date(Number.NaN), /\/text is of type Date/],
      ['\ud800', /lone surrogate/],
      [{ '\udfff': 1 }, /lone surrogate/],
      [circle, /the body cannot be written as JSON/],
    ] as const)
      assert.throws(() => ask(WRITE, { text: value }), refused(message));
  });

  test('may be one argument', async () => {
    const request = ask(posting(jsonBody('documents')), { documents: [{ a: 1 }, { b: 2 }] });
    assert.equal(await text(request), '[{"a":1},{"b":2}]');
    assert.equal(await text(ask(posting(jsonBody('value')), { value: null })), 'null');
    assert.equal(headersOf(ask(posting(jsonBody('v', '*/*')), { v: 1 }))['content-type'], 'application/json');
  });

  test('is sent whole', async () => {
    const { body } = ask(WRITE, { text: 'ś' });
    assert.deepEqual(body?.whole, new TextEncoder().encode('{"text":"ś"}'));
    assert.equal(body?.sizeBytes, 13);
    assert.equal(body?.repeatable, true);
  });
});

describe('a body', () => {
  test('that is required and has optional members is sent empty', async () => {
    assert.equal(await text(ask(WRITE)), '{}');
    assert.equal(ask(posting(JSON_BODY)).body, undefined);
  });

  test('takes further members', async () => {
    const options = { extraBody: { more: [1], text: 'b' } };
    assert.equal(await text(ask(WRITE, { text: 'a' }, { options })), '{"text":"b","more":[1]}');
    assert.equal(await text(ask(posting(JSON_BODY), {}, { options: { extraBody: { a: 1 } } })), '{"a":1}');
    assert.throws(() => ask(WRITE, { content: 'x' }, { options }), refused(/extraBody adds members/));
  });

  test('is of one kind, and the others are named', () => {
    const choices = /text, className \(application\/json\); content \(application\/octet-stream\)/;
    assert.throws(() => ask(WRITE, { text: 'a', content: 'b' }), refused(choices));
    assert.throws(() => ask(WRITE, { text: 'a', content: 'b' }), refused(/given: text and content$/));
    assert.throws(
      () => ask(WRITE, { content: 'b', contentType: 'text/csv' }),
      refused(/content as text\/csv/),
    );
    const needed = operation({ method: 'POST', bodies: [bytesBody('content')], bodyRequired: true });
    assert.throws(() => ask(needed), refused(/content \(application\/octet-stream\); given: none/));
  });

  test('is of the type that the caller chooses where there is a choice', () => {
    const type = (which: ReturnType<typeof posting>, given: Record<string, unknown>) =>
      headersOf(ask(which, given))['content-type'];
    const both = posting(bytesBody('content'), textBody('content', 'text/csv'));
    assert.equal(type(both, { content: 'a', contentType: 'text/csv' }), 'text/csv; charset=utf-8');
    const images = posting(bytesBody('image', 'image/*'));
    assert.equal(type(images, { image: 'x', contentType: 'image/png' }), 'image/png');
    assert.equal(type(images, { image: new Blob([], { type: 'image/gif' }) }), 'image/gif');
    assert.throws(
      () => type(images, { image: 'x' }),
      refused(/say by contentType which of image\/\* the image is/),
    );
    assert.equal(type(posting(bytesBody('any', '*/*')), { any: 'x' }), 'application/octet-stream');
    const claimed = posting(jsonBody(['contentType']));
    assert.equal(type(claimed, { contentType: 'x' }), 'application/json');
  });
});

describe('text', () => {
  const sentAs = async (mediaType: string, content: string) => {
    const request = ask(posting(textBody('content', mediaType)), { content });
    return [headersOf(request)['content-type'], (await text(request)).length];
  };

  test('says its charset, UTF-8 if the media type names none', async () => {
    assert.deepEqual(await sentAs('text/plain', 'ॐ'), ['text/plain; charset=utf-8', 1]);
    assert.deepEqual(await sentAs('text/plain; charset=UTF-8', 'ॐ'), ['text/plain; charset=UTF-8', 1]);
  });

  test('is written in Latin-1 where that is asked for', () => {
    const { body } = ask(posting(textBody('t', 'text/plain; charset=iso-8859-1')), { t: 'é' });
    assert.deepEqual(body?.whole, Uint8Array.of(0xe9));
    for (const [charset, t] of [
      ['iso-8859-1', 'ś'],
      ['us-ascii', 'é'],
      ['koi8-r', 'a'],
    ])
      assert.throws(
        () => ask(posting(textBody('t', `text/plain; charset=${charset}`)), { t }),
        refused(/t cannot be written in .*; pass bytes/),
      );
  });
});

describe('a form', () => {
  const form = (...of: Parameters<typeof formBody>) => posting(formBody(...of));

  test('repeats names for lists, and writes objects as JSON', async () => {
    const request = ask(form(['text', { argument: 'className', name: 'class' }, 'when']), {
      text: ['a b', 'ś&'],
      className: { x: 1 },
      when: new Date('2026-08-21T00:00:00Z'),
    });
    assert.equal(headersOf(request)['content-type'], 'application/x-www-form-urlencoded');
    assert.equal(
      await text(request),
      'text=a+b&text=%C5%9B%26&class=%7B%22x%22%3A1%7D&when=2026-08-21T00%3A00%3A00Z',
    );
  });

  test('follows the style of a field', async () => {
    const fields = [
      { argument: 'ids', style: 'pipeDelimited' },
      { argument: 'tags', style: 'form', explode: true },
      { argument: 'where', style: 'deepObject' },
      { argument: 'json', contentType: 'application/json' },
    ];
    assert.equal(
      await text(ask(form(fields), { ids: [1, 2], tags: ['a b'], where: { a: 1 }, json: 'x' })),
      'ids=1%7C2&tags=a%20b&where%5Ba%5D=1&json=%22x%22',
    );
  });

  test('may be given whole, as an object or written out', async () => {
    assert.equal(
      await text(ask(form('all'), { all: { a: [1, true], b: undefined, c: null } })),
      'a=1&a=true&c=null',
    );
    assert.equal(await text(ask(form('all'), { all: 'a=b' })), 'a=b');
    assert.throws(() => ask(form('all'), { all: [1] }), refused(/all must be an object, not Array/));
  });
});

describe('JSON Lines', () => {
  const lines = (content: unknown) => ask(posting(linesBody('content')), { content });
  const LINES = '{"a":1}\n{"b":2}\n';

  test('are made of items, or taken as they are', async () => {
    const items = [{ a: 1 }, { b: 2 }];
    for (const content of [
      items,
      [{ a: 1 }, Buffer.from('{"b":2}\n')],
      items.values(),
      new Set(items),
      LINES,
      Buffer.from(LINES),
      new Blob([LINES]),
      (async function* () {
        yield* items;
      })(),
      new Response(LINES).body,
    ])
      assert.equal(await text(lines(content)), LINES);
    assert.equal(headersOf(lines([]))['content-type'], 'application/jsonl');
  });

  test('that are neither are refused', async () => {
    assert.throws(() => lines(3), refused(/JSON Lines need an iterable of items, not Number/));
    await assert.rejects(text(lines([() => 1])), refused(/a line of the body cannot be written as JSON/));
  });
});

describe('a body in parts', () => {
  const FIELDS = ['title', 'meta', { argument: 'files', file: true }];
  const part = (head: string, content: string) => `--token-1\r\n${head}\r\n\r\n${content}\r\n`;
  const named = (name: string) => `Content-Disposition: form-data; name="${name}"`;

  test('has a part for each member, and for each item of a list', async () => {
    const request = ask(posting(multipartBody(FIELDS)), {
      title: 'ś',
      meta: { a: 1 },
      files: [new File(['satyam'], 'ver"se.txt', { type: 'text/plain' }), Buffer.from('raw')],
    });
    const expected =
      part(named('title'), 'ś') +
      part(`${named('meta')}\r\nContent-Type: application/json`, '{"a":1}') +
      part(`${named('files')}; filename="ver%22se.txt"\r\nContent-Type: text/plain`, 'satyam') +
      part(`${named('files')}; filename="upload"\r\nContent-Type: application/octet-stream`, 'raw') +
      '--token-1--\r\n';
    assert.equal(headersOf(request)['content-type'], 'multipart/form-data; boundary=token-1');
    assert.equal(await text(request), expected);
    assert.ok(request.body?.whole instanceof Blob);
    assert.equal(await request.body.whole.text(), expected);
    assert.equal(request.body.sizeBytes, Buffer.byteLength(expected));
  });

  test('is read by and by where a part is', async () => {
    async function* chunks() {
      yield Buffer.from('ab');
      yield Buffer.from('c');
    }
    const { body } = ask(posting(multipartBody(FIELDS)), { title: 't', files: chunks() });
    assert.equal(body?.whole, undefined);
    assert.equal(body?.sizeBytes, undefined);
    assert.equal(body?.repeatable, true);
    const file = `${named('files')}; filename="upload"\r\nContent-Type: application/octet-stream`;
    assert.equal(await text({ body }), `${part(named('title'), 't')}${part(file, 'abc')}--token-1--\r\n`);
    assert.equal(body?.repeatable, false);
  });

  test('is of the types that the description allows', async () => {
    const type = async (contentType: string, file: unknown) => {
      const fields = [{ argument: 'f', file: true, contentType }];
      return /Content-Type: (.*)\r/.exec(await text(ask(posting(multipartBody(fields)), { f: file })))?.[1];
    };
    const png = new Blob([], { type: 'image/png' });
    assert.equal(await type('', png), 'image/png');
    assert.equal(await type('image/*', png), 'image/png');
    assert.equal(await type('image/gif', png), 'image/gif');
    assert.equal(await type('image/gif, image/png', png), 'image/png');
    assert.equal(await type('text/plain, image/gif', png), 'text/plain');
    assert.equal(await type('image/*', 'x'), 'application/octet-stream');
  });

  test('writes values as text or as JSON', async () => {
    const fields = ['n', 'when', 'none', { argument: 'j', contentType: 'application/json' }];
    const given = { n: 1.5, when: new Date('2026-08-21T00:00:00Z'), none: null, j: 'x' };
    assert.equal(
      await text(ask(posting(multipartBody(fields)), given, { options: { extraBody: { 'a\r"': true } } })),
      `${part(named('n'), '1.5')}${part(named('when'), '2026-08-21T00:00:00Z')}${part(named('none'), 'null')}${part(
        `${named('j')}\r\nContent-Type: application/json`,
        '"x"',
      )}${part(named('a%0D%22'), 'true')}--token-1--\r\n`,
    );
  });

  test('follows the style of a field, without the encoding of URLs', async () => {
    const fields = [{ argument: 'w', style: 'deepObject', explode: true }];
    assert.equal(
      await text(ask(posting(multipartBody(fields)), { w: { a: 'x y=z', b: [1, 2] } })),
      `${part(named('w[a]'), 'x y=z')}${part(named('w[b]'), '1')}${part(named('w[b]'), '2')}--token-1--\r\n`,
    );
  });
});
