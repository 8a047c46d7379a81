-- SPDX-License-Identifier: PostgreSQL
-- The boundary between C++ and the backend, with faults injected by tests/boundary: what an error says survives both
-- ways, no destructor is skipped, no memory is left (style 14-19, T32).
BEGIN;
\ir fixture/tools.psql
SELECT plan(62);

CREATE SCHEMA boundary;
CREATE FUNCTION boundary.raise(sqlstate text, message text, detail text, hint text) RETURNS void LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_raise';
CREATE FUNCTION boundary.execute(statement text) RETURNS void LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_execute';
CREATE FUNCTION boundary.throw(kind text) RETURNS void LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_throw';
CREATE FUNCTION boundary.attempt(statement text) RETURNS text LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_attempt';
CREATE FUNCTION boundary.abandon(statement text) RETURNS boolean LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_abandon';
CREATE FUNCTION boundary.catch_many(times bigint) RETURNS bigint LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_catch_many';
CREATE FUNCTION boundary.cancel() RETURNS void LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_cancel';
CREATE FUNCTION boundary.stream(statement text, after bigint) RETURNS bigint LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_stream';
CREATE FUNCTION boundary.fill(bytes bigint) RETURNS bigint LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_fill';
CREATE FUNCTION boundary.live() RETURNS bigint LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_live';
CREATE FUNCTION boundary.resident() RETURNS bigint LANGUAGE c AS 'crm_bridge_boundary_test', 'crm_bridge_boundary_resident';
-- The parts of what a statement raises.
CREATE FUNCTION pg_temp.parts(statement text) RETURNS text[] LANGUAGE sql AS $$
  SELECT ARRAY[e ->> 'sqlstate', e ->> 'message', e ->> 'detail', e ->> 'hint'] FROM pg_temp.error_of(statement) AS e $$;

-- From C++ to SQL --------------------------------------------------------------------------------------------------

SELECT is(pg_temp.parts($$ SELECT boundary.raise('22023', 'the "message"', 'The détail.', 'Type this.') $$), ARRAY['22023', 'the "message"', 'The détail.', 'Type this.'], 'SQLSTATE, message, detail and hint of core''s errors reach SQL');
SELECT is(pg_temp.parts($$ SELECT boundary.raise('P4321', 'only a message', NULL, NULL) $$), ARRAY['P4321', 'only a message', '', ''], 'parts that are not there stay away; codes of our own arrive');
SELECT is(pg_temp.parts($$ SELECT boundary.raise('22023', '100 %s %n %d %', '50 %s', '%m') $$), ARRAY['22023', '100 %s %n %d %', '50 %s', '%m'], 'T37: nothing in them is taken for a format');
SELECT is(pg_temp.parts(format('SELECT boundary.raise(%L, %L, %L, %L)', '22023', repeat('é', 10000), repeat('y', 100000), 'z')), ARRAY['22023', repeat('é', 10000), repeat('y', 100000), 'z'], 'nor cut short');
SELECT is(pg_temp.parts($$ SELECT boundary.throw('bad_alloc') $$), ARRAY['53200', 'out of memory', '', ''], 'std::bad_alloc is out of memory');
SELECT is(pg_temp.parts($$ SELECT boundary.throw('runtime_error') $$), ARRAY['XX000', 'something ran wrong: 100 %s', '', ''], 'any std::exception says what it has to say');
SELECT alike((pg_temp.parts($$ SELECT boundary.throw('no_room') $$))[2], 'vector%', 'one of the standard library''s own too');
SELECT is(pg_temp.parts($$ SELECT boundary.throw('int') $$), ARRAY['XX000', 'unrecognized C++ exception', '', ''], 'and what is no exception at all is caught');
SELECT is(boundary.live(), 0::bigint, 'every destructor ran');

-- From the backend through C++ to SQL ------------------------------------------------------------------------------

CREATE TABLE boundary.item (id integer CONSTRAINT item_key PRIMARY KEY, size integer CONSTRAINT item_size_positive CHECK (size > 0));
CREATE FUNCTION boundary.complain() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'P1234', MESSAGE = 'a complaint', DETAIL = 'Its detail.', HINT = 'Its hint.', TABLE = 'a table', CONSTRAINT = 'a constraint';
END
$$;
CREATE TEMP TABLE straight AS SELECT pg_temp.error_of('SELECT boundary.complain()') AS error;
CREATE TEMP TABLE through AS SELECT pg_temp.error_of($$ SELECT boundary.execute('SELECT boundary.complain()') $$) AS error;
SELECT is(t.error - 'context', s.error - 'context', 'SQLSTATE, message, detail, hint, table and constraint pass through C++ frames as they were') FROM straight AS s, through AS t;
SELECT alike(error ->> 'context', 'PL/pgSQL function boundary.complain() line 3 at RAISE%SQL statement "SELECT boundary.complain()"%', 'the context survives, and tells the way') FROM through;
SELECT is(pg_temp.parts($$ SELECT boundary.execute('INSERT INTO boundary.item VALUES (1, -1)') $$),
  ARRAY['23514', 'new row for relation "item" violates check constraint "item_size_positive"', 'Failing row contains (1, -1).', ''], 'an error of the server''s own');
SELECT is(pg_temp.error_of($$ SELECT boundary.execute('INSERT INTO boundary.item VALUES (1, -1)') $$) ->> 'constraint', 'item_size_positive', 'names its constraint');
SELECT is(pg_temp.error_of($$ SELECT boundary.execute('INSERT INTO boundary.item VALUES (1, -1)') $$) ->> 'table', 'item', 'and its table');
SELECT is(pg_temp.parts($$ SELECT boundary.execute('SELEC 1') $$), ARRAY['42601', 'syntax error at or near "SELEC"', '', ''], 'a syntax error');
SELECT is(pg_temp.parts($$ SELECT boundary.execute('SELECT boundary.execute(''SELECT boundary.raise(''''22023'''', ''''deep'''', ''''down'''', ''''below'''')'')') $$),
  ARRAY['22023', 'deep', 'down', 'below'], 'an error of C++ passes through SQL, C++, SQL and C++');
SELECT is((pg_temp.parts($$ SELECT boundary.execute('SELECT boundary.throw(''bad_alloc'')') $$))[1], '53200', 'so does one without memory');
SELECT is((pg_temp.parts($$ SELECT boundary.execute('DO $x$ BEGIN ASSERT false; END $x$') $$))[1], 'P0004', 'one that nobody catches by chance');
CREATE FUNCTION boundary.deep(n integer) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM boundary.execute(format('SELECT boundary.deep(%s)', n + 1)); END $$;
SELECT is((pg_temp.parts('SELECT boundary.deep(1)'))[1], '54001', 'T31: a recursion through C++ ends with an error, not with the server');
SELECT is(boundary.live(), 0::bigint, 'every destructor ran');
SELECT lives_ok($$ SELECT boundary.execute('INSERT INTO boundary.item VALUES (1, 1)') $$, 'and what raises nothing works');
DELETE FROM boundary.item;

-- Rows on their way ------------------------------------------------------------------------------------------------

CREATE TABLE boundary.long (n integer, name text);
INSERT INTO boundary.long SELECT n, CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN 'short' WHEN 2 THEN repeat('x', 5000) ELSE (SELECT string_agg(md5(n::text || i), '') FROM generate_series(1, 200) AS i) END FROM generate_series(1, 500) AS n;
SELECT is(boundary.stream('SELECT l.name, l.n FROM boundary.long AS l', 0), (SELECT sum(length(l.name)) FROM boundary.long AS l), 'rows are handed over one by one, whole: compressed and toasted ones too');
SELECT is(pg_temp.parts($$ SELECT boundary.stream('SELECT l.name FROM boundary.long AS l', 300) $$), ARRAY['22023', 'enough of these rows', '', ''], 'an error of C++ in the midst of them ends the query and arrives');
SELECT is((pg_temp.parts($$ SELECT boundary.stream('SELECT (100 / (300 - l.n))::text FROM boundary.long AS l', 0) $$))[1], '22012', 'one of the query itself too');
SELECT is((pg_temp.parts($$ SELECT boundary.stream('INSERT INTO boundary.item VALUES (1, 1)', 0) $$))[1], '0A000', 'what writes is refused');
SELECT is(boundary.stream('SELECT l.name FROM boundary.long AS l WHERE false', 0), 0::bigint, 'no rows are none');
SELECT is(boundary.fill(1100000000), 10000::bigint, 'memory of a context is had in small and in huge pieces');
SELECT is((pg_temp.parts('SELECT boundary.fill(9223372036854775000)'))[1], '53200', 'more than there is raises an error');
SELECT is(boundary.live(), 0::bigint, 'every destructor ran');

-- Subtransactions --------------------------------------------------------------------------------------------------

INSERT INTO boundary.item VALUES (1, 1);
SELECT is(boundary.attempt('INSERT INTO boundary.item VALUES (2, 2)'), NULL, 'a guarded statement that raises nothing');
SELECT is(boundary.attempt('INSERT INTO boundary.item VALUES (3, 3), (1, 1)'), '23505: duplicate key value violates unique constraint "item_key"', 'one that raises something: it is data');
SELECT is(boundary.attempt($$ SELECT boundary.raise('22023', 'from C++', NULL, NULL) $$), '22023: from C++', 'also if it came from C++');
SELECT is(boundary.attempt($$ INSERT INTO boundary.item VALUES (4, 4); SELECT boundary.attempt('INSERT INTO boundary.item VALUES (5, 5), (1, 1)'); INSERT INTO boundary.item VALUES (6, 6) $$), NULL, 'nested: the inner one is caught inside');
SELECT is(boundary.attempt($$ INSERT INTO boundary.item VALUES (7, 7); SELECT boundary.attempt('INSERT INTO boundary.item VALUES (8, 8)'); SELECT boundary.complain() $$), 'P1234: a complaint', 'nested: the outer one takes the inner one with it');
SELECT ok(boundary.abandon('INSERT INTO boundary.item VALUES (9, 9)'), 'a C++ exception abandons a subtransaction');
SELECT results_eq('SELECT id FROM boundary.item ORDER BY id', ARRAY[1, 2, 4, 6], 'B6: what stood before stays, what was done within is gone');
SAVEPOINT trial;
SELECT is(boundary.attempt('INSERT INTO boundary.item VALUES (10, 10), (1, 1)'), '23505: duplicate key value violates unique constraint "item_key"', 'after a savepoint');
INSERT INTO boundary.item VALUES (11, 11);
ROLLBACK TO SAVEPOINT trial;
SELECT results_eq('SELECT id FROM boundary.item ORDER BY id', ARRAY[1, 2, 4, 6], 'savepoints are as they were');
RELEASE SAVEPOINT trial;
SELECT is(boundary.live(), 0::bigint, 'every destructor ran');

-- What must end more than the statement that is guarded.
SELECT is(pg_temp.parts('SELECT boundary.cancel()'), ARRAY['57014', 'canceling statement due to user request', '', ''], 'a cancel request passes through a guarded subtransaction');
SELECT is(boundary.live(), 0::bigint, 'every destructor ran');
SELECT is((pg_temp.parts(format('SELECT boundary.attempt(%L)', format($$ DO $x$ BEGIN RAISE EXCEPTION USING ERRCODE = %L; END $x$ $$, e.code))))[1], e.code, format('so does %s', e.what))
  FROM (VALUES ('40001', 'a serialization failure'), ('40P01', 'a deadlock'), ('57P01', 'a shutdown'), ('53200', 'the want of memory'), ('53100', 'a full disk'), ('XX000', 'an internal error'), ('XX001', 'corrupted data')) AS e (code, what);
SELECT is(boundary.attempt(format($$ DO $x$ BEGIN RAISE EXCEPTION USING ERRCODE = %L, MESSAGE = 'm'; END $x$ $$, e.code)), e.code || ': m', format('but not %s', e.what))
  FROM (VALUES ('23514', 'a violated check'), ('42501', 'a missing privilege'), ('55P03', 'a lock that is not to be had'), ('22003', 'a number out of range'), ('P0001', 'what an app''s trigger raises')) AS e (code, what);

-- Memory -----------------------------------------------------------------------------------------------------------

-- Growth in KiB while a statement is raised and caught so many times in one transaction, after a first round that fills
-- caches.  A leak of one page an error would be 400 MiB.
CREATE FUNCTION pg_temp.growth(statement text, times integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  before bigint;
BEGIN
  FOR round IN 1 .. times + 2000 LOOP
    IF round = 2001 THEN
      before := boundary.resident();
    END IF;
    BEGIN
      EXECUTE statement;
      RAISE EXCEPTION 'nothing was raised';
    EXCEPTION
      WHEN raise_exception THEN RAISE;
      WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  RETURN boundary.resident() - before;
END
$$;
SELECT cmp_ok(pg_temp.growth($$ SELECT boundary.raise('22023', 'm', 'd', 'h') $$, 100000), '<=', 1024::bigint, 'T32: 100,000 errors of core, caught in SQL: memory is flat');
SELECT cmp_ok(pg_temp.growth($$ SELECT boundary.execute('SELECT 1 / 0') $$, 100000), '<=', 1024::bigint, 'T32: 100,000 errors of the backend through C++ frames');
SELECT cmp_ok(pg_temp.growth($$ SELECT boundary.throw('bad_alloc') $$, 100000), '<=', 1024::bigint, 'T32: 100,000 times no memory');
SELECT is(boundary.catch_many(2000), 2000::bigint, 'errors that are caught in C++');
CREATE FUNCTION pg_temp.growth_inside(times bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  before bigint;
BEGIN
  PERFORM boundary.catch_many(times);
  before := boundary.resident();
  PERFORM boundary.catch_many(times);
  RETURN boundary.resident() - before;
END
$$;
SELECT cmp_ok(pg_temp.growth_inside(100000), '<=', 1024::bigint, 'T32: 100,000 of them, in one call: memory is flat');
SELECT crm_bridge.create_organization(1, 'Zylker') AS org \gset
SELECT cmp_ok(pg_temp.growth($$ INSERT INTO crm_bridge.crm_deal (expected_revenue) VALUES (1) $$, 20000), '<=', 1024::bigint, 'T32: guard, refusing 20,000 times');
SELECT cmp_ok(pg_temp.growth($$ SELECT crm_bridge.receive('crm_nothing', '[]', now()) $$, 20000), '<=', 1024::bigint, 'T32: receive, refusing 20,000 times');
SELECT cmp_ok(pg_temp.growth($$ SELECT crm_bridge.map_field('deal_project', 'amount', 'end_date') $$, 20000), '<=', 1024::bigint, 'T32: map_field, refusing 20,000 times');
SELECT is(boundary.live(), 0::bigint, 'every destructor ran, a million of them');

SELECT * FROM finish();
ROLLBACK;
