/** ARGV: now (ISO), now (s), wishes [{ id, wish, context?, hash?, dryRun, trace, due }]. Answers [isNew, record] each. */
export const enqueue = /* lua */ `
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

/** ARGV: id. Answers its record. */
export const read = /* lua */ `return record(ARGV[2])`;

/** ARGV: temporary key, status or '', context or '', from (s), to (s), offset, limit. Answers [total, records]. */
export const list = /* lua */ `
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

/** ARGV: id, now (ISO). Answers the status it had, or false, and its record. */
export const cancel = /* lua */ `
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
