/**
 * Begins a run: from here on no other may write. Takes back what runs before left behind, lets those that are due wait
 * no longer, and those wait that are younger than one about the same torrent that was put off. ARGV: run, now (ms), now (ISO), most interruptions, error, window.
 * Answers [fence, taken back, failed, records].
 */
export const begin = /* lua */ `
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
export const start = /* lua */ `
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
export const settle = /* lua */ `
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

/** ARGV: worker or '', how long it counts without a further word (ms). Answers how many there are. */
export const presence = /* lua */ `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local workers = P .. ':workers'
redis.call('ZREMRANGEBYSCORE', workers, '-inf', now)
if ARGV[2] ~= '' then redis.call('ZADD', workers, now + ARGV[3], ARGV[2]) end
return redis.call('ZCARD', workers)
`;
