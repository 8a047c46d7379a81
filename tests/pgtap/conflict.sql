-- SPDX-License-Identifier: PostgreSQL
-- A conflict can be decided by a person, whoever had won: in force on both sides, sent, and the loser told (D1, D2, B2).
BEGIN;
\ir fixture/tools.psql
SELECT plan(64);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/protocol.psql
\ir fixture/history.psql
\ir fixture/linked_tasks.psql

CREATE FUNCTION pg_temp.told(external_id text, version text, modified_at text, fields jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', external_id, 'version', version || 'T00:00:00Z', 'modified_at', modified_at || 'T00:00:00Z',
    'modified_by', 'bob@zylker.example', 'fields', fields)), clock_timestamp()) AS r $$;
CREATE FUNCTION pg_temp.claim(lease uuid) RETURNS SETOF text LANGUAGE sql AS $$ SELECT c.operation || ' ' || c.fields FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c $$;
-- Both faces of a task written while no change travels, then merged.
CREATE FUNCTION pg_temp.apart(crm uuid, projects uuid, subject text, name text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL crm_bridge.propagate_limit = 0;
  UPDATE crm_bridge.crm_task SET subject = apart.subject WHERE id = crm;
  UPDATE crm_bridge.projects_task SET name = apart.name WHERE id = projects;
  RESET crm_bridge.propagate_limit;
  RETURN crm_bridge.reconcile();
END $$;
CREATE FUNCTION pg_temp.latest() RETURNS uuid LANGUAGE sql AS $$ SELECT conflict_id FROM crm_bridge.conflict ORDER BY conflict_id DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.faces(crm uuid, projects uuid) RETURNS text LANGUAGE sql AS $$
  SELECT c.subject || ' | ' || p.name FROM crm_bridge.crm_task AS c, crm_bridge.projects_task AS p WHERE c.id = crm AND p.id = projects $$;

-- Policies ---------------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge.set_merge_policy('tasks', '*', 'left') $$, '42704', 'neither a pairing nor a module', 'D1: a scope that there is not');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_merge_policy('task_task', 'name', 'left') $$, '42704', 'no field "name"[\s\S]*left side', 'D1: a field of the wrong side');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_merge_policy('crm_deal', 'amount', 'oldest') $$, '22023', 'left, right, newest or manual', 'D1: a policy that there is not');
SELECT crm_bridge.set_merge_policy('task_task', 'subject', 'manual'), crm_bridge.set_merge_policy('crm_deal', 'amount', 'manual'), crm_bridge.set_merge_policy('crm_deal', '*', 'left'), crm_bridge.set_merge_policy('crm_deal', '*', 'right') \gset set_
SELECT results_eq('SELECT scope, field, policy FROM crm_bridge.merge_policy ORDER BY 1, 2', $$ VALUES ('crm_deal', '*', 'right'), ('crm_deal', 'amount', 'manual'), ('task_task', 'subject', 'manual') $$, 'D1: policies are set, the last word counts');
SELECT crm_bridge.set_merge_policy('crm_deal', '*', NULL) AS taken_back \gset
SELECT is((SELECT count(*) FROM crm_bridge.merge_policy), 2::bigint, 'D1: and taken back');

-- Two faces, held --------------------------------------------------------------------------------------------------

SELECT pg_temp.apart(:'crm_1', :'projects_1', 'left', 'right') AS rest \gset
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT is(pg_temp.faces(:'crm_1', :'projects_1'), 'left | right', 'D1: manual holds both');
SELECT results_eq('SELECT module_label, record, field_label, other_module, other_record, left_side, left_value, left_by, right_side, right_value, right_by, winner, needs_decision FROM crm_bridge.open_conflicts',
  $$ VALUES ('task', 'left', 'Subject', 'projects_task', 'right', 'zoho_crm', '"left"'::jsonb, 'postgres', 'zoho_projects', '"right"'::jsonb, 'postgres', 'none', true) $$, 'D1: open_conflicts names records, sides and authors');
SELECT ok((SELECT what_to_do ~ format('resolve_conflict\(''%s'', ''left''\) puts "left" in force, ''right'' puts "right"', conflict_id) FROM crm_bridge.open_conflicts), 'D1: and says what to do');
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L)', crm_bridge.new_id(), 'left'), '42704', 'does not exist[\s\S]*open_conflicts', 'a conflict that there is not');
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L)', pg_temp.latest(), 'both'), '22023', 'neither left nor right', 'a decision that there is not');
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, NULL)', pg_temp.latest()), '22023', 'neither left nor right', 'or none');
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'left') ->> 'value', 'left', 'B2: decided for the left side');
SELECT is(pg_temp.faces(:'crm_1', :'projects_1'), 'left | left', 'B2: it is in force on both faces');
SELECT results_eq(format('SELECT left_base, right_base FROM crm_bridge.link WHERE link_id = %L', :'link_1'), $$ VALUES ('{}'::jsonb, '{}'::jsonb) $$, 'B2: and they are in step');
SELECT results_eq('SELECT module, fields FROM dirty', $$ VALUES ('projects_task', '{name}'::text[]) $$, 'B2: it is sent to the side that lacked it, and only there');
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L)', pg_temp.latest(), 'right'), '55000', 'resolved already\npostgres decided', 'decided once');
SELECT is_empty('SELECT FROM crm_bridge.open_conflicts', 'what is decided is not open');

SELECT pg_temp.apart(:'crm_1', :'projects_1', 'left 2', 'right 2') AS rest \gset
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'right') ->> 'value', 'right 2', 'B2: decided for the right side');
SELECT is(pg_temp.faces(:'crm_1', :'projects_1'), 'right 2 | right 2', 'B2: in force on both faces');
SELECT pg_temp.apart(:'crm_1', :'projects_1', 'left 3', 'right 3') AS rest \gset
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L, %L)', pg_temp.latest(), 'left', to_jsonb(repeat('x', 70000))), '22023', 'does not fit field "subject"[\s\S]*characters', 'a value that does not fit is refused');
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'left', '"third"') ->> 'value', 'third', 'B2: decided for another value');
SELECT is(pg_temp.faces(:'crm_1', :'projects_1'), 'third | third', 'B2: in force on both faces');
-- One side went back to what both had agreed on, and that is what counts.
SELECT pg_temp.apart(:'crm_1', :'projects_1', 'left 4', 'right 4') AS rest \gset
UPDATE crm_bridge.crm_task SET subject = 'third' WHERE id = :'crm_1';
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'left', '"third"') ->> 'value', 'third', 'B2: decided for what both had before');
SELECT is(pg_temp.faces(:'crm_1', :'projects_1'), 'third | third', 'B2: also then on both faces');

-- Two faces, decided by policy: turned round, and the losers told ----------------------------------------------------

SELECT crm_bridge.set_merge_policy('task_task', 'subject', 'left') AS set \gset
SELECT pg_temp.send_all(:'lease') AS sent \gset
SET LOCAL crm_bridge.propagate_limit = 0;
UPDATE crm_bridge.crm_task SET subject = 'ours' WHERE id = :'crm_2';
SELECT outcome FROM crm_bridge.receive('projects_task', (SELECT jsonb_build_array(jsonb_build_object('external_id', t.external_id, 'version', '2100-01-01T00:00:00Z', 'modified_by', 'dora@zylker.example', 'fields', '{"name": "theirs"}'::jsonb))
  FROM crm_bridge.projects_task AS t WHERE t.id = :'projects_2'), clock_timestamp()) \gset
RESET crm_bridge.propagate_limit;
SELECT crm_bridge.reconcile() AS rest \gset
SELECT is(pg_temp.faces(:'crm_2', :'projects_2'), 'ours | ours', 'D1: policy left');
SELECT results_eq('SELECT recipient, kind, facts, cause FROM crm_bridge.notification',
  format($$ VALUES ('dora@zylker.example', 'conflict_lost', '{"record": "ours", "module": "projects_task", "field": "name", "yours": "theirs", "other": "ours", "by": "postgres"}'::jsonb, %L::uuid) $$, pg_temp.latest()), 'D1: the loser is told by mail, in terms of her own side');
SELECT ok((SELECT what_to_do ~ 'Nothing, if "ours" may stay: .*''right''\) puts "theirs" in force again' FROM crm_bridge.open_conflicts WHERE record_id = :'crm_2'), 'D1: open_conflicts says how the lost value comes back');
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'right') ->> 'value', 'theirs', 'B2: what lost is put back with one call');
SELECT is(pg_temp.faces(:'crm_2', :'projects_2'), 'theirs | theirs', 'B2: on both faces');
SELECT is((SELECT count(*) FROM crm_bridge.notification), 1::bigint, 'D1: who is no address is not told, nobody twice');

-- Links that end, directions ---------------------------------------------------------------------------------------

SELECT crm_bridge.set_merge_policy('task_task', 'subject', 'manual') AS set \gset
SELECT pg_temp.apart(:'crm_3', :'projects_3', 'left', 'right') AS rest \gset
UPDATE crm_bridge.link SET state = 'suspended' WHERE link_id = :'link_3';
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L)', pg_temp.latest(), 'left'), '55000', 'not in step any more: their link is suspended', 'D17: records whose link rests are not decided');
UPDATE crm_bridge.link SET state = 'active' WHERE link_id = :'link_3';
UPDATE crm_bridge.field_mapping SET direction = 'left_to_right' WHERE pairing = 'task_task' AND left_field = 'subject';
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L)', pg_temp.latest(), 'right'), '55000', 'does not travel from the right side', 'a field that does not travel that way');
UPDATE crm_bridge.field_mapping SET direction = 'both' WHERE pairing = 'task_task' AND left_field = 'subject';
DELETE FROM crm_bridge.projects_task WHERE id = :'projects_3';
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L)', pg_temp.latest(), 'left'), '42704', 'task .* is gone[\s\S]*record_history', 'a record that is gone');

-- Against the service ----------------------------------------------------------------------------------------------

SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT crm_bridge.new_id() AS held \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name, amount) VALUES (:'held', 'Held', 10);
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT external_id AS remote FROM crm_bridge.crm_deal WHERE id = :'held' \gset
UPDATE crm_bridge.crm_deal SET amount = 20 WHERE id = :'held';
SELECT is(pg_temp.told(:'remote', '2100-01-01', '2100-01-01', '{"amount": 30}'), 'conflict', 'D1: held against the service');
SELECT is(pg_temp.told(:'remote', '2100-01-02', '2100-01-02', '{"amount": 31}'), 'conflict', 'B2: which goes on changing');
SELECT results_eq(format('SELECT right_value, resolved_by FROM crm_bridge.conflict WHERE record_id = %L ORDER BY conflict_id', :'held'), $$ VALUES ('30'::jsonb, 'superseded'), ('31', NULL) $$, 'B2: one question is open, about the newest value; the older one stays to be read');
SELECT is_empty('TABLE dirty', 'D1: nothing is sent while it is open');
UPDATE crm_bridge.crm_deal SET amount = 22 WHERE id = :'held';
SELECT is_empty(format('SELECT FROM crm_bridge.pending_changes() AS p WHERE p.record_id = %L', :'held'), 'B4: what is typed here meanwhile is not listed');
SELECT is_empty(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), 'D1: nor sent');
SELECT is_empty('TABLE dirty', 'D1: which does not wait to be sent either');
UPDATE crm_bridge.crm_deal SET amount = 23, stage = 'Qualification' WHERE id = :'held';
SELECT results_eq(format('SELECT p.request, p.fields FROM crm_bridge.pending_changes() AS p WHERE p.record_id = %L', :'held'), $$ VALUES ('update', '{"stage": "Qualification"}'::jsonb) $$, 'B4: what is listed is what is sent');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['update {"stage": "Qualification"}'], 'D1: another field goes out without it');
SELECT count(*) AS confirmed FROM crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'held', 'external_id', :'remote', 'version', '2100-01-02T00:00:00Z')), 1) \gset
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'left') ->> 'value', '20', 'B2: ours counts');
SELECT is(pg_temp.told(:'remote', '2100-01-02', '2100-01-02', '{"amount": 31}'), 'unchanged', 'B2: a webhook about what was decided on does not ask again');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['update {"amount": 20}'], 'B2: it is sent');
SELECT results_eq('SELECT recipient, facts FROM crm_bridge.notification WHERE recipient LIKE ''bob%''', $$ VALUES ('bob@zylker.example', '{"record": "Held", "module": "crm_deal", "field": "Amount", "yours": 31, "other": 20, "by": "postgres"}'::jsonb) $$, 'D1: the loser is told when it is decided');
SELECT count(*) AS confirmed FROM crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'held', 'external_id', :'remote', 'version', '2100-01-03T00:00:00Z')), 1) \gset
UPDATE crm_bridge.crm_deal SET amount = 21 WHERE id = :'held';
SELECT is(pg_temp.told(:'remote', '2100-01-04', '2100-01-04', '{"amount": 32}'), 'conflict', 'D1: held once more');
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'right') ->> 'value', '32', 'B2: theirs counts');
SELECT results_eq(format('SELECT amount FROM crm_bridge.crm_deal WHERE id = %L', :'held'), ARRAY[32::numeric], 'B2: it is in force here');
SELECT is(pg_temp.told(:'remote', '2100-01-04', '2100-01-04', '{"amount": 32}'), 'unchanged', 'B2: and nothing is asked again');
SELECT pg_temp.send_all(:'lease') AS sent \gset
-- A write of ours was under way when the question was asked, and is done after the person's.
UPDATE crm_bridge.crm_deal SET amount = 50 WHERE id = :'held';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT is(pg_temp.told(:'remote', '2100-02-01', '2100-02-01', '{"amount": 51}'), 'conflict', 'D1: held while ours is under way');
SELECT count(*) AS confirmed FROM crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'held', 'external_id', :'remote', 'version', '2100-02-02T00:00:00Z')), 1) \gset
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'right') ->> 'value', '51', 'B2: theirs counts, which ours has replaced there meanwhile');
SELECT is(pg_temp.told(:'remote', '2100-02-02', '2100-02-02', '{"amount": 50}'), 'unchanged', 'D1: our own write does not overturn what was decided');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['update {"amount": 51}'], 'D1: which is sent');
SELECT count(*) AS confirmed FROM crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'held', 'external_id', :'remote', 'version', '2100-02-03T00:00:00Z')), 1) \gset
SELECT crm_bridge.set_merge_policy('crm_deal', 'amount', 'right') AS set \gset
UPDATE crm_bridge.crm_deal SET amount = 22 WHERE id = :'held';
SELECT is(pg_temp.told(:'remote', '2200-01-05', '2200-01-05', '{"amount": 33}'), 'conflict', 'D1: theirs won');
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L, %L)', pg_temp.latest(), 'left', '"much"'), '22023', '"much" does not fit field "amount"', 'a value of another type is refused');
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'left') ->> 'value', '22', 'B2: what lost is put back with one call');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['update {"amount": 22}'], 'B2: and sent');

-- A deletion against a change --------------------------------------------------------------------------------------

SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT count(*) AS confirmed FROM crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'held', 'external_id', :'remote', 'version', '2200-01-06T00:00:00Z')), 1) \gset
UPDATE crm_bridge.crm_deal SET amount = 40 WHERE id = :'held';
SELECT is((SELECT outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', :'remote', 'deleted', true)), '2300-01-01')), 'conflict', 'D2: deleted there, changed here');
SELECT results_eq('SELECT field_label, winner FROM crm_bridge.open_conflicts WHERE field = ''*''', $$ VALUES ('the whole record', 'left') $$, 'D2: open_conflicts says that the record is kept');
SELECT pg_temp.refused(format('SELECT crm_bridge.resolve_conflict(%L, %L, %L)', pg_temp.latest(), 'left', '1'), '22023', 'takes no value', 'D2: there is no third way');
SELECT is(crm_bridge.resolve_conflict(pg_temp.latest(), 'right') ->> 'field', '*', 'D2: decided for the deletion');
SELECT is_empty(format('SELECT FROM crm_bridge.crm_deal WHERE id = %L', :'held'), 'D2: the record is gone');
SELECT is_empty('TABLE dirty', 'D2: and nothing of it is sent any more');

SELECT * FROM finish();
ROLLBACK;
