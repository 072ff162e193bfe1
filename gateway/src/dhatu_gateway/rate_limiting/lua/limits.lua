-- All limits of one call at once, on the server's clock: all of them are charged, or none.
-- The algorithms stand above, each a table of load, wait, charge, tell and store.
--
-- KEYS     the state of each limit
-- ARGV[1]  the time in microseconds for tests ("" = the server's)
-- ARGV[2]  how many calls to take at once; where that is too much, one is tried
-- ARGV[3]  the call that holds slots, and ARGV[4] microseconds until they end without it; "" where it holds none
-- ARGV     then seven for each limit: its algorithm, 1 if it is only watched, 1 if refused calls are charged,
--          the cost, and the three figures of the algorithm
-- answers  how many calls were taken (0 = refused), then three for each limit: microseconds to wait (0 = allowed), calls left, microseconds until all are back
local algorithms = {
  token_bucket = token_bucket, gcra = gcra, sliding_log = sliding_log, sliding_window = sliding_window,
  quota = quota, concurrency = concurrency,
}
local FIRST, EACH = 5, 7
local holder, lease = ARGV[3], tonumber(ARGV[4])

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local states, waits = {}, {}
for i, key in ipairs(KEYS) do
  local at = FIRST + (i - 1) * EACH
  states[i] = algorithms[ARGV[at]].load(
    key, now, tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]))
end

-- Whether a limit that is not only watched refuses so many calls at once.
local function is_refused(calls)
  local refused = false
  for i in ipairs(KEYS) do
    local at = FIRST + (i - 1) * EACH
    waits[i] = algorithms[ARGV[at]].wait(states[i], tonumber(ARGV[at + 3]) * calls)
    refused = refused or (waits[i] > 0 and ARGV[at + 1] ~= "1")
  end
  return refused
end

local calls = tonumber(ARGV[2])
local refused = is_refused(calls)
if refused and calls > 1 then
  calls = 1
  refused = is_refused(1)
end

local answer = {refused and 0 or calls}
for i, key in ipairs(KEYS) do
  local at = FIRST + (i - 1) * EACH
  local algorithm, cost = algorithms[ARGV[at]], tonumber(ARGV[at + 3]) * calls
  local charged = ARGV[at + 2] == "1" or (waits[i] == 0 and not refused)
  if charged then
    algorithm.charge(states[i], cost)
    -- Kept for as long as it says anything, and a little longer, in case the server's clock is set back.
    redis.call("PEXPIRE", key, math.ceil(algorithm.store(key, states[i], holder, lease) / 1000) + 10000)
  end
  local left, reset = algorithm.tell(states[i])
  answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = waits[i], left, reset
end
return answer
