-- Ends an API key, and notes who did it.
-- KEYS[1]  keys: a hash of JSON by id     KEYS[2]  keys by age: a sorted set of <creation><id>
-- KEYS[3]  the audit log: a list of JSON
-- ARGV     id, its member of the sorted set, the entry of the log
-- answers  1, or 0 where there is no such key
if redis.call("HDEL", KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call("ZREM", KEYS[2], ARGV[2])
redis.call("RPUSH", KEYS[3], ARGV[3])
return 1
