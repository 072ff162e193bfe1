-- Marks a refresh token as used.
-- KEYS[1]  tokens: a hash of JSON by id   KEYS[2]  when they were used: a hash by id
-- ARGV     id, now
-- answers  1, or 0 where it was used before or does not exist
if redis.call("HEXISTS", KEYS[1], ARGV[1]) == 0 then
  return 0
end
return redis.call("HSETNX", KEYS[2], ARGV[1], ARGV[2])
