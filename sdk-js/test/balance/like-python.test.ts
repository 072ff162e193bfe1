/** Each balancer picks as that of the Python SDK does, draw for draw. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Algorithm, resolveBalance } from '../../src/runtime/balance/policy.js';
import { EndpointPool } from '../../src/runtime/balance/pool.js';
import type { Pick } from '../../src/runtime/flow/endpoints.js';
import type { Endpoint } from '../../src/runtime/wire.js';
import { seeded } from '../clock.js';

/** What `dhatu_client._balance` does when it is played what `play` plays. */
const PYTHON: Readonly<Record<Algorithm, { readonly picks: string; readonly events: string }>> = {
  p2c_ewma: {
    picks:
      'dbacdbbcbabaababbacaaadbadabbbbabababdbadbadabdabbbbdabbdabbdaaabdbaddabbdabbaadadbbbbcdabdbbbcdabdd' +
      'dbbbcbabacddcabbccacbabbdcbddabddedcbbdbbcbbbdddddcbdbcbccbdcccdbdbbdbcbdcbdcbbcdbddbbcbdbcbddddcbcd' +
      'dccdbbbbbccdbbcbbbcdddbbdbbbbbddbbedbbdddbbdbbbddbbbdeceedecdddbccadddbcdcbcdbdbdddddddbcdddcdbcdddc' +
      'cdcbbddbbccbdbdcdddddcbdddbbdddddbdbadddbbbaddbdddddddbbbdddbddbddbddbbdbdbcaaaadddadadaddddaababdcd',
    events: 'Ec1500 Rc Ec1500 Rc Ec1500 Rc',
  },
  round_robin: {
    picks:
      'cbdadcabdcadbcadbcadcadcababdabdadbadabdadaadbabdabdabbadabdabaddabadadabacdabdabadcbadadadbabdadcad' +
      'badbcadbadadcabdaadababadbadabdebdddbdebdbdbdbdedbdedbdbcdbdedbdbcdebdebdbcbdebedbdebdcbdebdebdcdebd' +
      'bcedbedbcdebdebcdbedcedbedcbdbcdbdcdccdcddcdcdcdcdcccdcdcdcdcdacdcdcdcdaddbdaddadbddadddadbdddaddbda' +
      'bddadbdabddaadbdcaddbadbdacdabdaddcaabdaadbcacadbadadcbadabdacbadbacdbadcbadacdbadcabacadabcadbcadbd',
    events: 'Ec1500 Rc Ec1500 Rc Ee1500 Eb1500 Ec1500 Rb Rc',
  },
  weighted: {
    picks:
      'bdacabbdabcdbabdbacbdadbaacbbabdcdbadcbbadabcabcdbabbadbcbbadbcdadbdacbbdcabadbcbcabdbadbadbdbaadbad' +
      'bbabdbabddbaddbdaababbabdbbadbcdbdedbbdbebbdbbdcbbddbebbdbbcddbdbebbdbedbbcbebdebbdbebcbdbebdbecdbeb' +
      'dbdbbdbcbdbbcbdbbdcbbdcbddbbcbddbbcdbcbdbbcdbdbecbbcbdddcbdbaddcddbcddcddbddbddbdddbdddddbddddbdddad' +
      'bdbdddbdbddbdbddcddbddaddbdddbdcdddaadadbdbccddddaddcddcdddcdadcdddcddaddcadddcdddacdccaddbdcdddcdad',
    events: 'Ec1500 Rc Ee1500 Re Ec1500 Rc Eb1500 Rb',
  },
  least_connections: {
    picks:
      'bdacabbdaccdbabdbcabdcabcbabdadababadabaabadabdbdaabdabbdbdbdbbccabaddbacadbbbbabdbbdaddbbdbbbdaabba' +
      'babbbdbbdabbadbaaabbbbabddbdabeedbdebddbbdbbbbdcccdbbbebbbbdedbbbbbbceebbbbebdecbbbcbeebebbdebdbebeb' +
      'bbebbbbeedbdebbbbbeeededeedeeeedeededddeededeeeddeeeeeddddddaddddddddddddddddddadddddddddddddddddddd' +
      'addcccdccdaaddddddddddbdcbdbddcccbccadddbcbcddbddaacbddcadcdddcbacdcddcddccdcacacddcbcdbdcddabddaddd',
    events: 'Ec1500 Rc Ec3000 Rc Ec4500 Eb1500 Rb Ee1500 Rc Ec4500',
  },
};

const FAILING: Readonly<Record<string, number>> = { a: 0.05, b: 0.2, c: 0.6, d: 0.02, e: 0.4 };

/** Four hundred attempts that overlap, fail and are retried, while endpoints come and go. */
function play(algorithm: Algorithm): { readonly picks: string; readonly events: string } {
  let now = 1_000_000;
  const events: string[] = [];
  const ejection = { consecutiveFailures: 3, intervalMs: 2000, baseEjectionMs: 1500 };
  const policy = resolveBalance({ algorithm, ejection, slowStartMs: 4000 });
  const pool = new EndpointPool(policy, { now: () => now, random: seeded(7) }, (event) => {
    const told = event.type === 'EndpointEjected' ? `E${letterOf(event.endpoint)}${event.forMs}` : '';
    events.push(told || `R${letterOf(event.endpoint)}`);
  });
  const draw = seeded(8);
  const held: Pick[] = [];
  let picks = '';
  pool.update(listed({ a: 1, b: 2.5, c: 0.7, d: 1 }));
  for (let number = 0; number < 400; number++) {
    if (number === 130) pool.update(listed({ b: 2.5, c: 0.7, d: 1, e: 1.3 }));
    if (number === 260) pool.update(listed({ a: 0.1, b: 0.2, c: 0.3, d: 0.7 }));
    now += Math.floor(draw() * 80);
    while (held.length && draw() < 0.45) {
      const [pick] = held.splice(Math.floor(draw() * held.length), 1);
      assert(pick);
      const chance = draw();
      const failing = FAILING[letterOf(pick.endpoint.url)] ?? 0;
      pool.settle(pick, chance > 0.97 ? undefined : chance >= failing);
    }
    const avoid = draw() < 0.2 ? ['https://b.test'] : [];
    const refused = draw() < 0.1 ? 'https://d.test' : '';
    const pick = pool.pick(avoid, (url) => url !== refused);
    assert(pick);
    picks += letterOf(pick.endpoint.url);
    held.push(pick);
  }
  return { picks, events: events.join(' ') };
}

function listed(weights: Readonly<Record<string, number>>): readonly Endpoint[] {
  return Object.entries(weights).map(([letter, weight]) => ({ url: `https://${letter}.test`, weight }));
}

function letterOf(url: string): string {
  return url.charAt('https://'.length);
}

for (const algorithm of ['p2c_ewma', 'round_robin', 'weighted', 'least_connections'] as const)
  test(`${algorithm} picks as in Python`, () => {
    assert.deepEqual(play(algorithm), PYTHON[algorithm]);
  });
