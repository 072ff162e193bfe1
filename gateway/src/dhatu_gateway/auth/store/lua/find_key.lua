-- Finds an API key, or what is read in its place: the answer is as long either way, and so is reading it.
-- KEYS[1]  keys: a hash of JSON by id
-- ARGV     id, the JSON to answer where there is no such key
return redis.call("HGET", KEYS[1], ARGV[1]) or ARGV[2]
