import { olderFirst } from "../choose-run.ts";

/**
 * The scripts that keep records and index in step: Redis runs each as a whole, and its append-only file holds the whole
 * or nothing. The first argument is always the key prefix, further ones are JSON or plain; records are answered as
 * their fields in the order of `fields`.
 *
 * A record is the truth. `queue:pending` holds the ids that may start, oldest first; `queue:waiting` those that are
 * pending and wait, by the time they are due; `queue:wishes` maps a wish to the pending job that stands for it;
 * `queue:run` names the run that may write.
 */
const common = /* lua */ `
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

/** ARGV: now (ISO), now (s), wishes [{ id, wish, context?, hash?, dryRun, trace, due }]. Answers [isNew, record] each. */
const enqueue = /* lua */ `
local answers = {}
for _, w in ipairs(cjson.decode(ARGV[4])) do
  local standing = redis.call('HGET', P .. ':queue:wishes', w.wish)
  if standing and redis.call('HGET', key(standing), 'status') == 'pending' then
    local due = tonumber(redis.call('ZSCORE', P .. ':queue:waiting', standing) or 0)
    if w.due < due then
      if w.due == 0 then
        stopWaiting(standing)
        putAhead({ standing })
        release()
      else
        wait(standing, w.due)
      end
    end
    answers[#answers + 1] = { 0, record(standing) }
  else
    local flat = { 'id', w.id, 'wish', w.wish, 'created_at', ARGV[2], 'dry_run', w.dryRun, 'trace', w.trace,
      'attempts', 0, 'interrupted', 0, 'not_ready', 0 }
    if w.context then flat[#flat + 1] = 'context'; flat[#flat + 1] = w.context end
    if w.hash then flat[#flat + 1] = 'hash'; flat[#flat + 1] = w.hash end
    redis.call('HSET', key(w.id), unpack(flat))
    redis.call('ZADD', P .. ':jobs:by_time', ARGV[3], w.id)
    if w.context then redis.call('SADD', P .. ':jobs:context:' .. w.context, w.id) end
    redis.call('HSET', P .. ':queue:wishes', w.wish, w.id)
    setStatus(w.id, 'pending')
    if w.due > 0 then wait(w.id, w.due) else redis.call('RPUSH', P .. ':queue:pending', w.id) end
    answers[#answers + 1] = { 1, record(w.id) }
  end
end
tell()
return answers
`;

/**
 * Begins a run: from here on no other may write. Takes back what runs before left behind, lets those that are due wait
 * no longer, and those wait that are younger than one about the same torrent that was put off. ARGV: run, now (ms), now (ISO), most interruptions, error, window.
 * Answers [fence, taken back, failed, records].
 */
const begin = /* lua */ `
redis.call('SET', P .. ':queue:run', ARGV[2])
local returned, failed = {}, {}
for _, id in ipairs(redis.call('SMEMBERS', P .. ':jobs:status:processing')) do
  local lost = redis.call('HINCRBY', key(id), 'interrupted', 1)
  if lost >= tonumber(ARGV[5]) then
    finish(id, 'failed', ARGV[4])
    redis.call('HSET', key(id), 'error', ARGV[6])
    failed[#failed + 1] = id
  else
    setStatus(id, 'pending')
    stand(id)
    returned[#returned + 1] = id
  end
end
release()
local due = redis.call('ZRANGEBYSCORE', P .. ':queue:waiting', '-inf', ARGV[3])
for _, id in ipairs(due) do stopWaiting(id) end
local ahead = {}
for _, id in ipairs(due) do ahead[#ahead + 1] = id end
for _, id in ipairs(returned) do ahead[#ahead + 1] = id end
putAhead(byAge(ahead))
local holders, records = putOff(), {}
for _, id in ipairs(redis.call('LRANGE', P .. ':queue:pending', 0, tonumber(ARGV[7]) - 1)) do
  local found = record(id)
  local holder = found[3] and holders[found[3]]
  if found[4] ~= 'pending' then
    redis.call('LREM', P .. ':queue:pending', 0, id)
  elseif holder and holder.age < (found[5] or '') .. id then
    redis.call('LREM', P .. ':queue:pending', 0, id)
    wait(id, holder.due)
    redis.call('HSET', key(id), 'waits_for', olderFirst)
    redis.call('INCR', P .. ':queue:held')
  else
    records[#records + 1] = found
  end
end
local fence = 0
if #records > 0 then fence = redis.call('INCR', P .. ':queue:fence') end
tell()
return { fence, #returned, #failed, records }
`;

/** ARGV: run, now (ISO), ids. Answers false when the run is not held, else the records of those that were pending. */
const start = /* lua */ `
if redis.call('GET', P .. ':queue:run') ~= ARGV[2] then return false end
local started = {}
for _, id in ipairs(cjson.decode(ARGV[4])) do
  if redis.call('HGET', key(id), 'status') == 'pending' then
    redis.call('LREM', P .. ':queue:pending', 1, id)
    forgetWish(id)
    redis.call('HSET', key(id), 'started_at', ARGV[3])
    redis.call('HINCRBY', key(id), 'attempts', 1)
    redis.call('HDEL', key(id), 'waits_for')
    setStatus(id, 'processing')
    started[#started + 1] = record(id)
  end
end
tell()
return started
`;

/** ARGV: run, now (ms), changes (see settle-changes.ts). Answers 0 when the run is not held. */
const settle = /* lua */ `
if redis.call('GET', P .. ':queue:run') ~= ARGV[2] then return 0 end
local ahead = {}
for _, c in ipairs(cjson.decode(ARGV[4])) do
  if c.status == 'pending' then
    redis.call('HSET', key(c.id), 'attempts', c.attempts, 'not_ready', c.notReady)
    setStatus(c.id, 'pending')
    stand(c.id)
    if c.due then
      wait(c.id, c.due)
      redis.call('HSET', key(c.id), 'waits_for', c.reason)
    else
      ahead[#ahead + 1] = c.id
    end
  else
    finish(c.id, c.status, c.at)
    if c.result then redis.call('HSET', key(c.id), 'result', c.result) end
    if c.error then redis.call('HSET', key(c.id), 'error', c.error) end
    if c.details then redis.call('HSET', key(c.id), 'details', c.details) end
    local hour = P .. ':stats:' .. math.floor(tonumber(ARGV[3]) / 3600000)
    redis.call('HINCRBY', hour, 'ended', 1)
    if c.status == 'completed' then
      redis.call('HINCRBY', hour, 'completed', 1)
      redis.call('HINCRBY', hour, 'ms', c.tookMs)
      redis.call('SET', P .. ':stats:last_completed', c.at)
    end
    redis.call('EXPIRE', hour, 172800)
  end
end
putAhead(byAge(ahead))
release()
tell()
return 1
`;

/** ARGV: id, now (ISO). Answers the status it had, or false, and its record. */
const cancel = /* lua */ `
local id = ARGV[2]
local status = redis.call('HGET', key(id), 'status')
if status == 'pending' then
  forgetWish(id)
  redis.call('LREM', P .. ':queue:pending', 0, id)
  stopWaiting(id)
  finish(id, 'cancelled', ARGV[3])
  release()
  tell()
end
return { status, record(id) }
`;

/** ARGV: temporary key, status or '', context or '', from (s), to (s), offset, limit. Answers [total, records]. */
const list = /* lua */ `
local source = P .. ':jobs:by_time'
local keys, weights = { source }, { 1 }
if ARGV[3] ~= '' then keys[#keys + 1] = P .. ':jobs:status:' .. ARGV[3]; weights[#weights + 1] = 0 end
if ARGV[4] ~= '' then keys[#keys + 1] = P .. ':jobs:context:' .. ARGV[4]; weights[#weights + 1] = 0 end
if #keys > 1 then
  source = ARGV[2]
  local command = { 'ZINTERSTORE', source, #keys }
  for _, each in ipairs(keys) do command[#command + 1] = each end
  command[#command + 1] = 'WEIGHTS'
  for _, each in ipairs(weights) do command[#command + 1] = each end
  redis.call(unpack(command))
end
local total = redis.call('ZCOUNT', source, ARGV[5], ARGV[6])
local records = {}
for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', source, ARGV[6], ARGV[5], 'LIMIT', ARGV[7], ARGV[8])) do
  records[#records + 1] = record(id)
end
if source == ARGV[2] then redis.call('DEL', source) end
return { total, records }
`;

/** Removes ended jobs among ids. ARGV: ended before (ISO), ids. Answers how many. */
const remove = /* lua */ `
local removed = 0
for _, id in ipairs(cjson.decode(ARGV[3])) do
  local r = redis.call('HMGET', key(id), 'status', 'completed_at', 'context')
  local isOver = r[1] == 'completed' or r[1] == 'failed' or r[1] == 'cancelled'
  if isOver and r[2] and r[2] < ARGV[2] then
    redis.call('SREM', P .. ':jobs:status:' .. r[1], id)
    if r[3] then redis.call('SREM', P .. ':jobs:context:' .. r[3], id) end
    redis.call('ZREM', P .. ':jobs:by_time', id)
    redis.call('DEL', key(id))
    removed = removed + 1
  end
end
if removed > 0 then redis.call('PUBLISH', P .. ':changes', '"everything"') end
return removed
`;

/** Makes the index agree with the records of some ids. ARGV: ids with their time in s: [[id, s]]. Answers what was wrong. */
const repair = /* lua */ `
local wrong = { 0, 0, 0, 0 }
local function member(set, id, should, at)
  if (redis.call('SISMEMBER', set, id) == 1) == should then return end
  redis.call(should and 'SADD' or 'SREM', set, id)
  wrong[at] = wrong[at] + 1
end
local queued = {}
for _, id in ipairs(redis.call('LRANGE', P .. ':queue:pending', 0, -1)) do queued[id] = true end
for _, pair in ipairs(cjson.decode(ARGV[2])) do
  local id = pair[1]
  local r = redis.call('HMGET', key(id), 'status', 'context', 'completed_at', 'created_at')
  local status = r[1]
  for _, each in ipairs({ 'pending', 'processing', 'completed', 'failed', 'cancelled' }) do
    member(P .. ':jobs:status:' .. each, id, each == status, 1)
  end
  local isWaiting = redis.call('ZSCORE', P .. ':queue:waiting', id)
  if not status then
    if redis.call('ZREM', P .. ':jobs:by_time', id) == 1 then wrong[2] = wrong[2] + 1 end
  else
    if not redis.call('ZSCORE', P .. ':jobs:by_time', id) then
      redis.call('ZADD', P .. ':jobs:by_time', pair[2], id)
      wrong[2] = wrong[2] + 1
    end
    if r[2] then member(P .. ':jobs:context:' .. r[2], id, true, 3) end
    -- Earlier programs gave cancelled jobs no end, so that they stayed for ever.
    if status == 'cancelled' and not r[3] then redis.call('HSET', key(id), 'completed_at', r[4]) end
  end
  if status == 'pending' and not queued[id] and not isWaiting then
    redis.call('RPUSH', P .. ':queue:pending', id)
    wrong[4] = wrong[4] + 1
  elseif status ~= 'pending' and (queued[id] or isWaiting) then
    redis.call('LREM', P .. ':queue:pending', 0, id)
    stopWaiting(id)
    wrong[4] = wrong[4] + 1
  end
  if status == 'pending' then stand(id) elseif status then forgetWish(id) end
end
return wrong
`;

/** ARGV: id. Answers its record. */
const read = /* lua */ `return record(ARGV[2])`;

/** ARGV: worker or '', how long it counts without a further word (ms). Answers how many there are. */
const presence = /* lua */ `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local workers = P .. ':workers'
redis.call('ZREMRANGEBYSCORE', workers, '-inf', now)
if ARGV[2] ~= '' then redis.call('ZADD', workers, now + ARGV[3], ARGV[2]) end
return redis.call('ZCARD', workers)
`;

export const scripts = {
  enqueue,
  read,
  begin,
  start,
  settle,
  cancel,
  list,
  remove,
  repair,
  presence,
} as const;
export type ScriptName = keyof typeof scripts;

/** The text that Redis gets. */
export function scriptText(body: string): string {
  return common + body;
}
