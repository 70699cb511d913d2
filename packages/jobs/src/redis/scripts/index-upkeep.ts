/** Removes ended jobs among ids. ARGV: ended before (ISO), ids. Answers how many. */
export const remove = /* lua */ `
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
export const repair = /* lua */ `
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
