-- SPDX-License-Identifier: PostgreSQL
-- What connectors can do, told by the worker, read by people (design §8).
BEGIN;
\ir fixture/tools.psql
SELECT plan(11);
\ir fixture/organization.psql
CREATE ROLE test_worker;
CREATE ROLE test_analyst;
SELECT crm_bridge.grant_worker('test_worker'), crm_bridge.grant_analyst('test_analyst') \g /dev/null

CREATE FUNCTION pg_temp.line(call text, contract text DEFAULT 'documented', in_use boolean DEFAULT true)
RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('module', 'crm_deal', 'call', call, 'how', 'POST', 'requests', '1 for 100', 'contract', contract, 'in_use', in_use) $$;

SELECT pg_temp.refused($$ SELECT crm_bridge.store_capabilities('zoho_crm', '{}') $$, '22023', 'JSON array', 'it takes a table');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_capabilities('zoho_crm', jsonb_build_array(pg_temp.line('create', 'guessed'))) $$, '23514', 'capability_contract_known', 'a call is documented, observed, assumed or absent');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_capabilities('zoho_crm', jsonb_build_array(pg_temp.line('create', 'absent'))) $$, '23514', 'capability_absent_not_in_use', 'what is absent is not in use');
SET LOCAL ROLE test_worker;
SELECT is(crm_bridge.store_capabilities('zoho_crm', jsonb_build_array(pg_temp.line('create'), pg_temp.line('update'))), 2, 'a worker tells what its connector can do');
SELECT is(crm_bridge.store_capabilities('zoho_projects', jsonb_build_array(pg_temp.line('create', 'assumed', false))), 1, 'of each service by itself');
SELECT is(crm_bridge.store_capabilities('zoho_crm', jsonb_build_array(pg_temp.line('update'), pg_temp.line('create'))), 0, 'a second worker that says the same writes nothing');
SELECT is(crm_bridge.store_capabilities('zoho_crm', jsonb_build_array(pg_temp.line('create', 'observed'), pg_temp.line('delete'))), 3, 'a newer one replaces the table');
SET LOCAL ROLE test_analyst;
SELECT results_eq('SELECT service, call, contract, in_use FROM crm_bridge.capability ORDER BY 1, 2',
  $$ VALUES ('zoho_crm', 'create', 'observed', true), ('zoho_crm', 'delete', 'documented', true), ('zoho_projects', 'create', 'assumed', false) $$, 'design §8: an analyst reads it');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_capabilities('zoho_crm', '[]') $$, '42501', '', 'and cannot write it');
SELECT pg_temp.refused($$ DELETE FROM crm_bridge.capability $$, '42501', '', 'by no statement');
RESET ROLE;
SELECT is((SELECT count(*) FROM pg_extension AS e WHERE e.extname = 'crm_bridge' AND 'crm_bridge.capability'::regclass = ANY (e.extconfig)), 0::bigint, 'it is not dumped: whoever runs the restored database says it anew');

SELECT * FROM finish();
ROLLBACK;
