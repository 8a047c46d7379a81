-- SPDX-License-Identifier: PostgreSQL
-- The same map and merge as merge_bench.cpp in plpgsql, as somebody would write it who keeps the mapping in a table and the
-- records in jsonb.  Prints "changed fields|µs of CPU a record".
CREATE TABLE mapping (position integer PRIMARY KEY, field text, kind text, words jsonb);
INSERT INTO mapping
SELECT n, 'field_' || n, (ARRAY['text', 'text', 'text', 'text', 'number', 'number', 'number_to_text', 'date_to_instant', 'date_to_instant', 'word', 'word', 'flag'])[n],
       '{"Not Started": "open", "In Progress": "in progress", "Waiting": "on hold", "Deferred": "delayed", "Completed": "closed"}'
  FROM generate_series(1, 12) AS n;

CREATE FUNCTION converted(kind text, words jsonb, value jsonb, old jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN CASE kind
    WHEN 'text' THEN to_jsonb(left(value #>> '{}', 255))
    WHEN 'number' THEN to_jsonb((value #>> '{}')::numeric)
    WHEN 'number_to_text' THEN to_jsonb((value #>> '{}')::numeric::text)
    WHEN 'date_to_instant' THEN
      to_jsonb(((value #>> '{}')::date + ((old #>> '{}')::timestamptz AT TIME ZONE 'Europe/Berlin')::time) AT TIME ZONE 'Europe/Berlin')
    WHEN 'word' THEN words -> (value #>> '{}')
    WHEN 'flag' THEN to_jsonb(CASE WHEN value::boolean THEN 'closed' ELSE 'open' END)
  END;
END $$;

-- What the right side gets: the left side's changed fields where the right side has not changed.
CREATE FUNCTION merged(base_left jsonb, base_right jsonb, left_now jsonb, right_now jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  result jsonb := '{}';
  each record;
BEGIN
  FOR each IN SELECT m.field, m.kind, m.words FROM mapping AS m ORDER BY m.position LOOP
    IF left_now -> each.field IS DISTINCT FROM base_left -> each.field AND right_now -> each.field IS NOT DISTINCT FROM base_right -> each.field THEN
      result := result || jsonb_build_object(each.field, converted(each.kind, each.words, left_now -> each.field, right_now -> each.field));
    END IF;
  END LOOP;
  RETURN result;
END $$;

CREATE FUNCTION value_of(kind text, seed integer) RETURNS jsonb LANGUAGE sql AS $$
  SELECT CASE kind
    WHEN 'text' THEN to_jsonb(repeat(md5(seed::text), 1 + seed % 2))
    WHEN 'number' THEN to_jsonb(seed + 0.5)
    WHEN 'number_to_text' THEN to_jsonb(seed + 0.5)
    WHEN 'date_to_instant' THEN to_jsonb('2022-01-01'::date + seed % 2000)
    WHEN 'word' THEN to_jsonb((ARRAY['Not Started', 'In Progress', 'Waiting', 'Deferred', 'Completed'])[1 + seed % 5])
    WHEN 'flag' THEN to_jsonb(seed % 2 = 0)
  END $$;

CREATE TABLE record AS
SELECT c.changed, r.id, jsonb_object_agg(m.field, value_of(m.kind, r.id)) AS base_left,
       jsonb_object_agg(m.field, converted(m.kind, m.words, value_of(m.kind, r.id), to_jsonb('2022-01-01 09:00+00'::timestamptz))) AS base_right,
       jsonb_object_agg(m.field, value_of(m.kind, r.id + CASE WHEN m.position * c.changed % 12 < c.changed THEN 1 ELSE 0 END)) AS left_now
  FROM unnest(ARRAY[0, 2, 12]) AS c (changed), generate_series(1, 2000) AS r (id), mapping AS m
 GROUP BY c.changed, r.id;
VACUUM ANALYZE record;

-- Nanoseconds of CPU that this session has had: other programs on the machine do not count.
CREATE FUNCTION cpu() RETURNS float8 LANGUAGE sql VOLATILE AS $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 $$;

CREATE TABLE measured (changed integer, microseconds float8);
DO $$
DECLARE
  begun float8;
  rows bigint;
BEGIN
  FOR changes IN 1 .. 3 LOOP
    FOR round IN 0 .. 7 LOOP
      begun := cpu();
      SELECT count(merged(r.base_left, r.base_right, r.left_now, r.base_right)) INTO rows FROM record AS r WHERE r.changed = (ARRAY[0, 2, 12])[changes];
      -- The first warms up.
      IF round > 0 THEN
        INSERT INTO measured VALUES ((ARRAY[0, 2, 12])[changes], (cpu() - begun) / 1e3 / rows);
      END IF;
    END LOOP;
  END LOOP;
END $$;
SELECT changed, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY microseconds)::numeric, 2) FROM measured GROUP BY changed ORDER BY changed;
