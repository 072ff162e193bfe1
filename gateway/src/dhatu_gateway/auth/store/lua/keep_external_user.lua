-- Keeps what a provider says of somebody, and forgets those who have ended, at most 1000 at once.
-- KEYS[1]  external users: a hash of JSON by id
-- KEYS[2]  their ends: a sorted set of ids by seconds since the epoch
-- ARGV     id, the user's JSON, its end, now
local ended = redis.call("ZRANGEBYSCORE", KEYS[2], "-inf", ARGV[4], "LIMIT", 0, 1000)
if #ended > 0 then
  redis.call("HDEL", KEYS[1], unpack(ended))
  redis.call("ZREM", KEYS[2], unpack(ended))
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
redis.call("ZADD", KEYS[2], ARGV[3], ARGV[1])
return 1
