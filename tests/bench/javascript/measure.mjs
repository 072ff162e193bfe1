/** Measures in turns, and prints `{name: [[microseconds, of the processor], ...]}`, one pair for each round. */

const ROUNDS = 15;

/** `works` are what is compared, by name: each takes a number of calls, and returns when all are over. */
export async function compare(works, calls) {
  const costs = {};
  for (const work of Object.values(works)) await work(calls); // compiles what is hot
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, work] of Object.entries(works)) {
      const [wall, processor] = [performance.now(), process.cpuUsage()];
      await work(calls);
      const { user, system } = process.cpuUsage(processor);
      costs[name] ??= [];
      costs[name].push([(1e3 * (performance.now() - wall)) / calls, (user + system) / calls]);
    }
  return costs;
}

/** Makes calls, some at once. */
export function repeating(call, atOnce = 1) {
  return async (calls) => {
    let left = calls;
    const worker = async () => {
      while (left-- > 0) await call();
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  };
}
