-- SPDX-License-Identifier: PostgreSQL
-- What a DBA hangs on a mirror (triggers, rules, constraints, generated columns) counts when its row is written as a twin (decision 13).
BEGIN;
\ir fixture/tools.psql
SELECT plan(19);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql

CREATE FUNCTION pg_temp.name_of(task uuid) RETURNS text LANGUAGE sql STABLE AS $$ SELECT t.name FROM crm_bridge.projects_task AS t WHERE t.id = name_of.task $$;

-- Nothing of anybody's on the mirror -------------------------------------------------------------------------------

UPDATE crm_bridge.crm_task SET subject = 'Install', description = repeat('long', 5000) WHERE id = :'crm_1';
SELECT results_eq(format('SELECT name, origin, modified_at = now(), modified_by, length(description) FROM crm_bridge.projects_task WHERE id = %L', :'projects_1'),
  $$ VALUES ('Install', 'bridge', true, 'postgres', 20000) $$, 'D16: the twin is written and stamped, however long the text');
SELECT results_eq('SELECT origin, module, old FROM events', $$ VALUES ('app', 'crm_task', '{"subject": "task 1", "description": null}'::jsonb),
  ('bridge', 'projects_task', '{"name": "task 1", "description": null}') $$, 'B17: and captured');
SELECT is((SELECT count(*) FROM crm_bridge.projects_task AS t WHERE t.external_id = (SELECT s.external_id FROM crm_bridge.shadow AS s WHERE s.record_id = :'projects_1')), 1::bigint, 'each of its indexes finds it');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_task SET subject = 'all ' || right(id::text, 4);
SELECT is((SELECT count(*) FROM crm_bridge.crm_task AS c JOIN pair AS p ON p.crm_id = c.id WHERE c.subject = p.label), 3::bigint, 'so are the twins of a statement of several rows');
SELECT is((SELECT count(*) FROM events), 6::bigint, 'each captured once');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_task SET priority = 'Lowest' WHERE id = :'crm_1';
UPDATE crm_bridge.crm_task SET priority = 'Low' WHERE id = :'crm_1';
SELECT results_eq('SELECT module, old ->> ''priority'' FROM events', $$ VALUES ('crm_task', 'Normal'), ('projects_task', 'medium'), ('crm_task', 'Lowest') $$,
  'a twin that says the same already is left alone');

-- A DBA's constraints ----------------------------------------------------------------------------------------------

ALTER TABLE crm_bridge.projects_task ADD CONSTRAINT decent CHECK (name <> 'swearword');
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET subject = 'swearword' WHERE id = %L $$, :'crm_1'), '23514', 'decent', 'a CHECK on the twin refuses');
SELECT lives_ok(format($$ UPDATE crm_bridge.crm_task SET subject = 'kind' WHERE id = %L $$, :'crm_1'), 'and lets pass');
ALTER TABLE crm_bridge.projects_task DROP CONSTRAINT decent, ADD CONSTRAINT row_decent CHECK (projects_task.* IS NOT NULL OR name <> 'swearword');
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET subject = 'swearword' WHERE id = %L $$, :'crm_1'), '23514', 'row_decent', 'one that looks at the whole row too');
ALTER TABLE crm_bridge.projects_task DROP CONSTRAINT row_decent, ALTER name SET NOT NULL;
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET subject = NULL WHERE id = %L $$, :'crm_1'), '23502', 'name', 'NOT NULL too');
ALTER TABLE crm_bridge.projects_task ALTER name DROP NOT NULL;
CREATE UNIQUE INDEX one_name ON crm_bridge.projects_task (name);
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET subject = %L WHERE id = %L $$, pg_temp.name_of(:'projects_2'), :'crm_1'), '23505', 'one_name', 'a unique index too');
DROP INDEX crm_bridge.one_name;
ALTER TABLE crm_bridge.projects_task ADD CONSTRAINT one_name_later UNIQUE (name) DEFERRABLE INITIALLY DEFERRED;
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET subject = %L WHERE id = %L; SET CONSTRAINTS ALL IMMEDIATE $$, pg_temp.name_of(:'projects_2'), :'crm_1'),
  '23505', 'one_name_later', 'one that is asked later too');
ALTER TABLE crm_bridge.projects_task DROP CONSTRAINT one_name_later;

-- A DBA's columns and triggers -------------------------------------------------------------------------------------

ALTER TABLE crm_bridge.projects_task ADD COLUMN loud text GENERATED ALWAYS AS (upper(name)) STORED;
UPDATE crm_bridge.crm_task SET subject = 'whisper' WHERE id = :'crm_1';
SELECT is((SELECT loud FROM crm_bridge.projects_task WHERE id = :'projects_1'), 'WHISPER', 'a generated column follows');
ALTER TABLE crm_bridge.projects_task DROP COLUMN loud;

CREATE TEMP TABLE seen (what text);
CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO pg_temp.seen VALUES (TG_NAME);
  IF TG_WHEN = 'BEFORE' THEN
    NEW.completion_percentage := 7;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER one BEFORE UPDATE ON crm_bridge.projects_task FOR EACH ROW EXECUTE FUNCTION public.see();
UPDATE crm_bridge.crm_task SET subject = 'seen' WHERE id = :'crm_1';
SELECT results_eq(format('SELECT name, completion_percentage, (SELECT string_agg(what, '','') FROM seen) FROM crm_bridge.projects_task WHERE id = %L', :'projects_1'),
  $$ VALUES ('seen', 7::numeric, 'one') $$, 'a row trigger of somebody else''s fires, and what it writes counts');
DROP TRIGGER one ON crm_bridge.projects_task;
TRUNCATE seen;
CREATE TRIGGER two AFTER UPDATE OF name ON crm_bridge.projects_task FOR EACH STATEMENT EXECUTE FUNCTION public.see();
UPDATE crm_bridge.crm_task SET subject = 'seen again' WHERE id = :'crm_1';
SELECT is((SELECT string_agg(what, ',') FROM seen), 'two', 'a statement trigger fires');
ALTER TABLE crm_bridge.projects_task DISABLE TRIGGER two;
UPDATE crm_bridge.crm_task SET subject = 'unseen' WHERE id = :'crm_1';
SELECT is((SELECT string_agg(what, ',') FROM seen) || pg_temp.name_of(:'projects_1'), 'twounseen', 'one that is switched off does not');
DROP TRIGGER two ON crm_bridge.projects_task;

CREATE RULE three AS ON UPDATE TO crm_bridge.projects_task DO ALSO INSERT INTO pg_temp.seen VALUES ('three');
UPDATE crm_bridge.crm_task SET subject = 'ruled' WHERE id = :'crm_1';
SELECT ok(EXISTS (SELECT FROM seen WHERE what = 'three'), 'a rule is heeded');
DROP RULE three ON crm_bridge.projects_task;

SELECT pg_temp.forget() AS forgotten \gset
ALTER TABLE crm_bridge.projects_task DISABLE TRIGGER "0_capture_update";
UPDATE crm_bridge.crm_task SET subject = 'unlogged' WHERE id = :'crm_1';
SELECT results_eq('SELECT module FROM events', $$ VALUES ('crm_task') $$, 'where capture is switched off, nothing is captured');
SELECT is(pg_temp.name_of(:'projects_1'), 'unlogged', 'the twin is written all the same');

SELECT * FROM finish();
ROLLBACK;
