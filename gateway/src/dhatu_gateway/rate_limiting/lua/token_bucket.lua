-- The same arithmetic as TokenBucket.step in algorithms.py, on the server's clock. Integers below 2^53 throughout.
-- KEYS[1]  the bucket: a hash of debt (units) and at (microseconds)
-- ARGV     token_units, rate_units, capacity_units, cost, and the time in microseconds for tests ("" = the server's)
-- answers  {1 if the call is allowed, else 0; the debt after it}
local token_units, rate_units, capacity = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local cost = tonumber(ARGV[4])
local now
if ARGV[5] == "" then
  local time = redis.call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
else
  now = tonumber(ARGV[5])
end

local stored = redis.call("HMGET", KEYS[1], "debt", "at")
local debt, at = tonumber(stored[1] or "0"), tonumber(stored[2] or "0")
local elapsed = now - at
if elapsed > 0 then
  -- A product above 2^53 is rounded, but then it is larger than any debt all the same.
  debt = math.max(0, debt - elapsed * rate_units)
  at = now
end

local allowed = 0
local owed = debt + cost * token_units
if owed <= capacity then
  allowed, debt = 1, owed
end

if debt == 0 then
  -- A full bucket is the same as none.
  redis.call("DEL", KEYS[1])
else
  -- Kept until it is full again, and a little longer, in case the server's clock is set back.
  redis.call("HSET", KEYS[1], "debt", string.format("%.0f", debt), "at", string.format("%.0f", at))
  redis.call("PEXPIRE", KEYS[1], math.ceil(debt / rate_units / 1000) + 10000)
end
return {allowed, debt}
