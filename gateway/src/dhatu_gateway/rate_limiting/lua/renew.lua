-- Puts off the end of slots whose calls are still under way, be they known here or not: what the server lost in
-- a restart, or let go since their process was late, is held again.
--
-- KEYS[1]  the slots of one caller
-- ARGV[1]  the time in microseconds for tests ("" = the server's)
-- ARGV[2]  microseconds from now until they end
-- ARGV     then the slots
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local ends = string.format("%.0f", now + tonumber(ARGV[2]))
for at = 3, #ARGV do redis.call("ZADD", KEYS[1], ends, ARGV[at]) end
local last = tonumber(redis.call("ZRANGE", KEYS[1], -1, -1, "WITHSCORES")[2])
redis.call("PEXPIRE", KEYS[1], math.ceil((last - now) / 1000) + 10000)
