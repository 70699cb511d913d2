import { olderFirst } from "../../choose-run.ts";

/**
 * The scripts that keep records and index in step: Redis runs each as a whole, and its append-only file holds the whole
 * or nothing. The first argument is always the key prefix, further ones are JSON or plain; records are answered as
 * their fields in the order of `fields`.
 *
 * A record is the truth. `queue:pending` holds the ids that may start, oldest first; `queue:waiting` those that are
 * pending and wait, by the time they are due; `queue:wishes` maps a wish to the pending job that stands for it;
 * `queue:run` names the run that may write.
 */
export const common = /* lua */ `
local P = ARGV[1]
local fields = {'id','context','hash','status','created_at','started_at','completed_at','result','error',
  'dry_run','trace','attempts','interrupted','not_ready','due_at','waits_for'}
local told = {}
local function key(id) return P .. ':jobs:' .. id end
local function record(id) return redis.call('HMGET', key(id), unpack(fields)) end
local function setStatus(id, status)
  local old = redis.call('HGET', key(id), 'status')
  if old then redis.call('SREM', P .. ':jobs:status:' .. old, id) end
  redis.call('SADD', P .. ':jobs:status:' .. status, id)
  redis.call('HSET', key(id), 'status', status)
  told[#told + 1] = { id, status }
end
local function tell()
  if #told > 0 then redis.call('PUBLISH', P .. ':changes', cjson.encode(told)) end
end
local function forgetWish(id)
  local wish = redis.call('HGET', key(id), 'wish')
  if wish and redis.call('HGET', P .. ':queue:wishes', wish) == id then
    redis.call('HDEL', P .. ':queue:wishes', wish)
  end
end
local function stand(id)
  local wish = redis.call('HGET', key(id), 'wish')
  if wish then redis.call('HSETNX', P .. ':queue:wishes', wish, id) end
end
local function stopWaiting(id)
  redis.call('ZREM', P .. ':queue:waiting', id)
  redis.call('HDEL', key(id), 'due_at')
end
local function wait(id, due)
  redis.call('ZADD', P .. ':queue:waiting', due, id)
  redis.call('HSET', key(id), 'due_at', due)
end
-- Puts ids, oldest first, ahead of all others.
local function putAhead(ids)
  for i = #ids, 1, -1 do redis.call('LPUSH', P .. ':queue:pending', ids[i]) end
end
-- Job ids sort as they were made; those of other programs by their time.
local function byAge(ids)
  local age = {}
  for _, id in ipairs(ids) do age[id] = (redis.call('HGET', key(id), 'created_at') or '') .. id end
  table.sort(ids, function(a, b) return age[a] < age[b] end)
  return ids
end
local olderFirst = '${olderFirst}'
-- What waits behind an older job may start, for all that is known; the next run looks again.
local function release()
  if redis.call('DEL', P .. ':queue:held') == 0 then return end
  local released = {}
  for _, id in ipairs(redis.call('ZRANGE', P .. ':queue:waiting', 0, -1)) do
    if redis.call('HGET', key(id), 'waits_for') == olderFirst then
      stopWaiting(id)
      redis.call('HDEL', key(id), 'waits_for')
      released[#released + 1] = id
    end
  end
  putAhead(byAge(released))
end
-- The oldest job of each torrent that was put off, with the time at which it is due.
local function putOff()
  local holders = {}
  for _, id in ipairs(redis.call('ZRANGE', P .. ':queue:waiting', 0, -1)) do
    local r = redis.call('HMGET', key(id), 'hash', 'not_ready', 'due_at', 'created_at', 'waits_for')
    -- A job that merely was asked for with a delay waits for nothing.
    if r[1] and (tonumber(r[2] or 0) > 0 or (r[5] and r[5] ~= olderFirst)) then
      local age = (r[4] or '') .. id
      if not holders[r[1]] or age < holders[r[1]].age then holders[r[1]] = { age = age, due = r[3] } end
    end
  end
  return holders
end
local function finish(id, status, at)
  setStatus(id, status)
  redis.call('HSET', key(id), 'completed_at', at)
  redis.call('HDEL', key(id), 'waits_for')
end
`;
