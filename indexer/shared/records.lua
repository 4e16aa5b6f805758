-- Every change of a job's record, each of them atomic: ARGV[1] names the change, what follows are its arguments.
-- KEYS[1] is the prefix of all keys:
--   job:ID         hash: the record; `done:STEP` and `total:STEP` of a part are counted in its parent's as well
--   jobs           sorted set of the ids of whole jobs by their number
--   STATE          sorted set of the ids in each state, parts included, by their number
--   fresh          those of `queued` that were not begun
--   short          those of `queued` that are expected to be short
--   waiting:KIND   the whole jobs among those that are queued
--   leases         id by the time until which its worker is believed to live
--   parts:ID       list of the parts of a divided job; `divided` is the set of those that have not ended
--   ended          whole jobs by the time of their end
--   workers        processes that do jobs, by the time until which they are believed to live
local P = KEYS[1]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1e6
local stamp = string.format('%.3f', now)
local STATES = {'queued', 'running', 'done', 'failed'}

local function key(id) return P .. 'job:' .. id end
local function read(id, field) return redis.call('HGET', key(id), field) end

local function sound(id)
  if redis.call('TYPE', key(id)).ok ~= 'hash' then return false end
  return tonumber(read(id, 'number') or '') ~= nil and tonumber(read(id, 'attempts') or '') ~= nil
end

local function remove(id)
  if redis.call('TYPE', key(id)).ok == 'hash' then
    redis.call('ZREM', P .. 'waiting:' .. (read(id, 'kind') or ''), id)
  end
  redis.call('DEL', key(id), P .. 'parts:' .. id)
  for _, name in ipairs({'jobs', 'fresh', 'short', 'leases', 'ended', unpack(STATES)}) do redis.call('ZREM', P .. name, id) end
  redis.call('SREM', P .. 'divided', id)
end

local function enter(id, state)
  local number, parent = read(id, 'number'), read(id, 'parent')
  local waiting = P .. 'waiting:' .. (read(id, 'kind') or '')
  for _, other in ipairs(STATES) do redis.call('ZREM', P .. other, id) end
  redis.call('ZADD', P .. state, number, id)
  redis.call('HSET', key(id), 'state', state, 'updated', stamp)
  if state ~= 'running' then redis.call('ZREM', P .. 'leases', id) end
  if state == 'queued' and not read(id, 'report') then
    redis.call('ZADD', P .. 'fresh', number, id)
  else
    redis.call('ZREM', P .. 'fresh', id)
  end
  if state == 'queued' and read(id, 'short') == '1' then
    redis.call('ZADD', P .. 'short', number, id)
  else
    redis.call('ZREM', P .. 'short', id)
  end
  if state == 'queued' and not parent then
    redis.call('ZADD', waiting, number, id)
  else
    redis.call('ZREM', waiting, id)
  end
  if (state == 'done' or state == 'failed') and not parent then redis.call('ZADD', P .. 'ended', now, id) end
end

local function create(id, kind, payload, short)
  local number = redis.call('INCR', P .. 'number')
  redis.call('HSET', key(id), 'id', id, 'kind', kind, 'payload', payload, 'number', number, 'created', stamp,
    'updated', stamp, 'attempts', 0, 'step', '', 'done', 0, 'total', 0, 'parts', 0,
    'short', short)
end

local function held(id, token)
  return sound(id) and read(id, 'state') == 'running' and read(id, 'owner') == token
end

-- Count for a divided job; what it shows is the first step, in the order in which they began, that is not over.
local function add(parent, step, done, total)
  if not sound(parent) then return end
  redis.call('HINCRBY', key(parent), 'done:' .. step, done)
  redis.call('HINCRBY', key(parent), 'total:' .. step, total)
  local steps = read(parent, 'steps') or ''
  if not string.find('\n' .. steps, '\n' .. step .. '\n', 1, true) then steps = steps .. step .. '\n' end
  redis.call('HSET', key(parent), 'steps', steps, 'updated', stamp)
  for name in string.gmatch(steps, '[^\n]+') do
    local so_far, all = read(parent, 'done:' .. name) or 0, read(parent, 'total:' .. name) or 0
    redis.call('HSET', key(parent), 'step', name, 'done', so_far, 'total', all)
    if tonumber(so_far) < tonumber(all) then return end
  end
end

local function conclude(id, state, report, problem)
  if report ~= '' then redis.call('HSET', key(id), 'report', report) end
  if problem ~= '' then redis.call('HSET', key(id), 'error', problem) end
  enter(id, state)
  local parent = read(id, 'parent')
  if not parent then return '' end
  local fields = redis.call('HKEYS', key(id))
  for _, field in ipairs(fields) do
    local step = string.match(field, '^total:(.*)$')
    if step then
      local total = tonumber(read(id, field))
      add(parent, step, total - tonumber(read(id, 'done:' .. step) or 0), 0)
      redis.call('HSET', key(id), 'done:' .. step, total)
    end
  end
  if sound(parent) and redis.call('HINCRBY', key(parent), 'pending', -1) <= 0 then return parent end
  return ''
end

local changes = {}

function changes.submit(id, kind, payload, limit, short)
  if redis.call('ZCARD', P .. 'waiting:' .. kind) >= tonumber(limit) then return 0 end
  create(id, kind, payload, short)
  redis.call('ZADD', P .. 'jobs', read(id, 'number'), id)
  enter(id, 'queued')
  return 1
end

function changes.claim(token, lease, short)
  while true do
    local id
    if short == '1' then
      id = redis.call('ZRANGE', P .. 'short', 0, 0)[1]
    else
      id = redis.call('ZRANGE', P .. 'fresh', 0, 0)[1] or redis.call('ZRANGE', P .. 'queued', 0, 0)[1]
    end
    if not id then return '' end
    if sound(id) then
      redis.call('HINCRBY', key(id), 'attempts', 1)
      redis.call('HSET', key(id), 'owner', token)
      redis.call('HDEL', key(id), 'error')
      enter(id, 'running')
      redis.call('ZADD', P .. 'leases', now + tonumber(lease), id)
      return id
    end
    remove(id)
  end
end

function changes.renew(id, token, lease)
  if not held(id, token) then return 0 end
  redis.call('ZADD', P .. 'leases', now + tonumber(lease), id)
  return 1
end

function changes.progress(id, token, step, done, total)
  if not held(id, token) then return 0 end
  local parent = read(id, 'parent')
  if parent then
    add(parent, step, done - (read(id, 'done:' .. step) or 0), total - (read(id, 'total:' .. step) or 0))
    redis.call('HSET', key(id), 'done:' .. step, done, 'total:' .. step, total)
  end
  redis.call('HSET', key(id), 'step', step, 'done', done, 'total', total, 'updated', stamp)
  return 1
end

function changes.release(id, token, report, problem)
  if not held(id, token) then return 0 end
  redis.call('HINCRBY', key(id), 'attempts', -1)
  redis.call('HDEL', key(id), 'owner', 'report')
  if problem ~= '' then redis.call('HSET', key(id), 'error', problem) end
  if report ~= '' then redis.call('HSET', key(id), 'report', report) end
  redis.call('HSET', key(id), 'short', 0)
  enter(id, 'queued')
  return 1
end

-- {whether it was held, the parent if this was its last part}. Said twice by the same worker, it counts once.
function changes.conclude(id, token, state, report, problem)
  if held(id, token) then return {1, conclude(id, state, report, problem)} end
  return {sound(id) and read(id, 'owner') == token and 1 or 0, ''}
end

-- Parts are written one by one and wait together from `divide` on; `undivide` removes those of a worker that died meanwhile.
function changes.undivide(id, token)
  if not held(id, token) then return 0 end
  for _, part in ipairs(redis.call('LRANGE', P .. 'parts:' .. id, 0, -1)) do remove(part) end
  redis.call('DEL', P .. 'parts:' .. id)
  return 1
end

function changes.part(id, token, part, payload, step, size)
  if not held(id, token) then return 0 end
  create(part, read(id, 'kind'), payload, 0)
  redis.call('HSET', key(part), 'parent', id, 'step', step, 'total', size, 'done:' .. step, 0, 'total:' .. step, size)
  redis.call('RPUSH', P .. 'parts:' .. id, part)
  return 1
end

function changes.divide(id, token, report)
  if not held(id, token) then return 0 end
  local parts = redis.call('LRANGE', P .. 'parts:' .. id, 0, -1)
  redis.call('HSET', key(id), 'parts', #parts, 'pending', #parts, 'rest', report)
  redis.call('HDEL', key(id), 'owner')
  redis.call('ZREM', P .. 'leases', id)
  redis.call('SADD', P .. 'divided', id)
  for _, part in ipairs(parts) do
    add(id, read(part, 'step'), 0, tonumber(read(part, 'total')))
    enter(part, 'queued')
  end
  return 1
end

-- End a divided job whose parts have ended; their records go.
function changes.reunite(id, state, report, problem)
  if redis.call('SREM', P .. 'divided', id) == 0 or not sound(id) then return 0 end
  local parts = redis.call('LRANGE', P .. 'parts:' .. id, 0, -1)
  conclude(id, state, report, problem)
  for _, part in ipairs(parts) do remove(part) end
  redis.call('DEL', P .. 'parts:' .. id)
  redis.call('HDEL', key(id), 'rest')
  return 1
end

-- {how many were put back, divided jobs all of whose parts have ended}
function changes.recover(attempts, problem, kept)
  local back, over = 0, {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', now)) do
    if not sound(id) then
      remove(id)
    elseif tonumber(read(id, 'attempts') or 0) >= tonumber(attempts) then
      redis.call('HDEL', key(id), 'owner')
      conclude(id, 'failed', '', problem)
    else
      redis.call('HDEL', key(id), 'owner')
      redis.call('HSET', key(id), 'short', 0)
      enter(id, 'queued')
      back = back + 1
    end
  end
  for _, id in ipairs(redis.call('SMEMBERS', P .. 'divided')) do
    if not sound(id) then
      remove(id)
    elseif tonumber(read(id, 'pending') or 0) <= 0 then
      over[#over + 1] = id
    end
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'ended', '-inf', now - tonumber(kept), 'LIMIT', 0, 100)) do
    remove(id)
  end
  redis.call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', now)
  return {back, over}
end

function changes.present(worker, lease)
  return redis.call('ZADD', P .. 'workers', now + tonumber(lease), worker)
end

function changes.workers()
  return redis.call('ZCOUNT', P .. 'workers', now, '+inf')
end

return changes[ARGV[1]](unpack(ARGV, 2))
