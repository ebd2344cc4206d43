-- One step of a guess (see guesses.py, which does the same in memory): a script is atomic, and its clock is that of all
-- instances. KEYS: a hash for each allowance, with `failures`, `ends_at`, `next_at`, and `:` + guess for each guess in
-- progress.
local step, guess = ARGV[1], ':' .. ARGV[2]
local window, longest, lease = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000

local function delay(failures, free)
    if failures < free then return 0 end
    return math.min(2 ^ math.min(failures - free, 16), longest)
end

local counts, waits = {}, 0
for i, key in ipairs(KEYS) do
    local fields, running, held = redis.call('HGETALL', key), 0, {}
    for j = 1, #fields, 2 do held[fields[j]] = tonumber(fields[j + 1]) end
    if (held.ends_at or 0) <= now then
        redis.call('HDEL', key, 'failures', 'ends_at', 'next_at')
        held.failures, held.ends_at, held.next_at = nil, nil, nil
    end
    for name, value in pairs(held) do
        if name:sub(1, 1) == ':' then
            if value <= now then redis.call('HDEL', key, name) else running = running + 1 end
        end
    end
    local count = {failures = held.failures or 0, ends_at = held.ends_at, next_at = held.next_at or 0}
    local free = tonumber(ARGV[5 + i])
    local wait = 0
    if count.failures < free then
        if count.failures + running >= free then wait = -1 end
    elseif count.next_at > now then
        wait = count.next_at - now
    elseif running > 0 then
        wait = -1
    end
    if wait ~= 0 then waits = waits == 0 and wait or math.max(wait, waits) end
    counts[i] = count
end
if step == 'begin' and waits ~= 0 then return tostring(waits) end

for i, key in ipairs(KEYS) do
    local count, free = counts[i], tonumber(ARGV[5 + i])
    if step == 'begin' then
        redis.call('HSET', key, guess, string.format('%.6f', now + lease))
        if count.failures >= free then
            redis.call('HSET', key, 'next_at', string.format('%.6f', now + delay(count.failures, free)))
        end
    elseif step == 'failed' then
        count.failures = count.failures + 1
        count.ends_at = count.ends_at or now + window
        redis.call('HDEL', key, guess)
        redis.call('HSET', key, 'failures', count.failures, 'ends_at', string.format('%.6f', count.ends_at),
            'next_at', string.format('%.6f', now + delay(count.failures, free)))
    elseif step == 'unknown' then
        redis.call('HDEL', key, guess)
    else
        redis.call('HDEL', key, guess, 'failures', 'ends_at', 'next_at')
        count.ends_at = nil
    end
    local last = math.max(count.ends_at or 0, now + lease)
    redis.call('PEXPIRE', key, math.ceil((last - now) * 1000))
end
return '0'
