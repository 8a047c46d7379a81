-- SPDX-License-Identifier: PostgreSQL
-- The rules of schema and code that a query on the catalogs can hold (design §3 and §5, style §9, reliability T35).
BEGIN;
\ir fixture/tools.psql
SELECT plan(37);

-- Keys -------------------------------------------------------------------------------------------------------------

CREATE TEMP VIEW ours AS
  SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relacl, c.relowner
    FROM pg_class AS c WHERE c.relnamespace = 'crm_bridge'::regnamespace;
-- What belongs to no organization: the server itself, what the services' documentation says, what connectors can do.
CREATE TEMP VIEW catalogs (name) AS VALUES ('installation'), ('module'), ('standard_field'), ('capability'), ('known_setting'), ('message_text');

SELECT is_empty($$
  SELECT c.relname FROM ours AS c
   WHERE c.relkind IN ('r', 'p') AND c.relname NOT IN (SELECT name FROM catalogs)
     AND NOT EXISTS (SELECT 1 FROM pg_attribute AS a
                      WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND a.attnotnull AND a.atttypid = 'bigint'::regtype)
  $$, 'design §3: every table of an organization has org_id bigint NOT NULL');
SELECT is_empty($$
  SELECT c.relname, k.conname FROM pg_constraint AS k JOIN ours AS c ON c.oid = k.conrelid
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
   WHERE k.contype IN ('p', 'u', 'x') AND a.attname <> 'org_id' AND c.relname NOT IN (SELECT name FROM catalogs)
  $$, 'design §3: org_id leads every primary and unique key');
SELECT is_empty($$
  SELECT c.relname, k.conname FROM pg_constraint AS k JOIN ours AS c ON c.oid = k.conrelid
    JOIN ours AS target ON target.oid = k.confrelid
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    JOIN pg_attribute AS t ON t.attrelid = k.confrelid AND t.attnum = k.confkey[1]
   WHERE k.contype = 'f' AND target.relname NOT IN (SELECT name FROM catalogs) AND (a.attname <> 'org_id' OR t.attname <> 'org_id')
  $$, 'design §3: org_id leads every foreign key, on both ends');
SELECT is_empty($$
  SELECT c.relname, i.indexrelid::regclass FROM pg_index AS i JOIN ours AS c ON c.oid = i.indrelid
    LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
   WHERE a.attname IS DISTINCT FROM 'org_id' AND c.relname NOT IN (SELECT name FROM catalogs)
  $$, 'design §3: org_id leads every index, unique or not');
SELECT is_empty($$
  SELECT c.relname FROM ours AS c
   WHERE c.relkind = 'r' AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'p')
  $$, 'design §3: every table has a primary key');
SELECT is_empty($$
  SELECT i.indexrelid::regclass FROM pg_index AS i WHERE i.indrelid = 'crm_bridge.history'::regclass
  $$, 'design §3: the parent of history has neither key nor index, so that a dumped partition can be attached again');
SELECT is_empty($$
  SELECT c.relname FROM ours AS c WHERE c.relkind = 'S'
   UNION ALL
  SELECT c.relname FROM ours AS c JOIN pg_attribute AS a ON a.attrelid = c.oid WHERE a.attidentity <> ''
   UNION ALL
  SELECT c.relname FROM ours AS c JOIN pg_attrdef AS d ON d.adrelid = c.oid WHERE pg_get_expr(d.adbin, d.adrelid) ~ 'nextval'
  $$, 'design §3: no sequence, no identity');
SELECT is_empty($$
  SELECT c.relname, k.conname FROM pg_constraint AS k JOIN ours AS c ON c.oid = k.conrelid
   WHERE k.conname NOT LIKE c.relname || '\_%' AND c.relname <> 'history_default'
  $$, 'style 9: a constraint is named by its table and its meaning, not by the server');

-- Words ------------------------------------------------------------------------------------------------------------

SELECT is_empty($$
  SELECT c.relname FROM ours AS c
   WHERE c.relkind IN ('r', 'p', 'v', 'm') AND COALESCE(btrim(obj_description(c.oid, 'pg_class')), '') = ''
  $$, 'design §3: every table and view has a comment');
SELECT is_empty($$
  SELECT c.relname, a.attname FROM ours AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   WHERE c.relkind IN ('r', 'p', 'v', 'm') AND COALESCE(btrim(col_description(c.oid, a.attnum)), '') = ''
  $$, 'design §3: every column of every table and view has a comment');
SELECT is_empty($$
  SELECT p.oid::regprocedure FROM pg_proc AS p
   WHERE p.pronamespace = 'crm_bridge'::regnamespace AND COALESCE(btrim(obj_description(p.oid, 'pg_proc')), '') = ''
  $$, 'style 38: every function has a comment');
SELECT is_empty($$
  SELECT p.oid::regprocedure FROM pg_proc AS p
   WHERE p.pronamespace = 'crm_bridge'::regnamespace AND '' = ANY (p.proargnames[1:p.pronargs])
  $$, 'style 10: every parameter has a name');

-- Functions --------------------------------------------------------------------------------------------------------

CREATE TEMP VIEW functions AS
  SELECT p.*, p.oid::regprocedure::text AS signature, l.lanname,
         'search_path=pg_catalog, pg_temp' = ANY (COALESCE(p.proconfig, '{}')) AS pinned
    FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang WHERE p.pronamespace = 'crm_bridge'::regnamespace;

SELECT is_empty($$
  SELECT signature FROM functions WHERE lanname NOT IN ('c', 'plpgsql')
  $$, 'scale-out 14: functions are C or PL/pgSQL');
-- A procedure that commits cannot carry settings; it runs with its caller's rights, so its caller's path harms nobody else.
SELECT is_empty($$
  SELECT signature FROM functions WHERE lanname = 'plpgsql' AND NOT pinned AND (prokind <> 'p' OR prosrc !~ 'COMMIT;')
  $$, 'style 39: every PL/pgSQL function pins its search_path, but for procedures that commit');
SELECT is_empty($$
  SELECT signature FROM functions WHERE prosecdef AND NOT pinned
  $$, 'T35: every SECURITY DEFINER function pins its search_path');
SELECT set_eq($$
  SELECT signature FROM functions AS f
   WHERE EXISTS (SELECT 1 FROM aclexplode(COALESCE(f.proacl, acldefault('f', f.proowner))) AS a WHERE a.grantee = 0)
  $$, ARRAY['crm_bridge.new_id()', 'crm_bridge.current_org()', 'crm_bridge.calling_role()',
            'crm_bridge.retry_delay(integer,bigint)', 'crm_bridge._gets_project(text,bigint)',
            'crm_bridge.acting_user()', 'crm_bridge._visible_org()', 'crm_bridge._may_see(text)', 'crm_bridge.name_key(text)', 'crm_bridge._rule_is_on(text,bigint)'],
  'T35: PUBLIC may execute these and no other');
SELECT is_empty($$
  SELECT signature FROM functions WHERE prosecdef AND EXISTS (
    SELECT 1 FROM aclexplode(COALESCE(proacl, acldefault('f', proowner))) AS a WHERE a.grantee = 0)
  $$, 'T35: none of them runs with its owner''s rights');
SELECT is_empty($$ SELECT signature FROM functions WHERE proleakproof $$, 'T35: no function is LEAKPROOF');
SELECT is_empty($$
  SELECT signature FROM functions WHERE 'internal'::regtype = ANY (proargtypes) OR prorettype = 'internal'::regtype
  $$, 'T35: no function takes or returns internal');
SELECT is_empty($$
  SELECT c.relname FROM ours AS c, aclexplode(c.relacl) AS a WHERE a.grantee = 0
   UNION ALL
  SELECT n.nspname FROM pg_namespace AS n, aclexplode(n.nspacl) AS a WHERE n.nspname = 'crm_bridge' AND a.grantee = 0
  $$, 'reliability §6: PUBLIC has no right on the schema or on any relation');
SELECT is_empty($$
  SELECT f.signature, e.lineno, e.message
    FROM functions AS f
   CROSS JOIN LATERAL plpgsql_check_function_tb(f.oid, security_warnings => true) AS e
   WHERE f.lanname = 'plpgsql' AND f.prorettype <> 'trigger'::regtype AND e.level IN ('error', 'security')
  $$, 'T35: plpgsql_check finds no error and no security warning');
SELECT is_empty($$
  SELECT f.signature, t.tgname, e.lineno, e.message
    FROM functions AS f
    JOIN pg_trigger AS t ON t.tgfoid = f.oid
   CROSS JOIN LATERAL plpgsql_check_function_tb(f.oid, t.tgrelid, security_warnings => true, oldtable => t.tgoldtable, newtable => t.tgnewtable) AS e
   WHERE f.lanname = 'plpgsql' AND e.level IN ('error', 'security')
  $$, 'T35: nor in trigger functions, checked with the tables that they serve');
SELECT is_empty($$
  SELECT signature FROM functions AS f WHERE lanname = 'plpgsql' AND prorettype = 'trigger'::regtype
     AND NOT EXISTS (SELECT 1 FROM pg_trigger AS t WHERE t.tgfoid = f.oid)
  $$, 'every trigger function serves a table, so that the check above has seen it');

-- Row security -----------------------------------------------------------------------------------------------------

SELECT is_empty($$
  SELECT c.relname FROM ours AS c
   WHERE c.relkind IN ('r', 'p') AND c.relname NOT IN (SELECT name FROM catalogs) AND NOT c.relrowsecurity
  $$, 'design §5: every table of an organization has row security');
SELECT is_empty($$ SELECT c.relname FROM ours AS c WHERE c.relforcerowsecurity $$, 'design §5: it is never forced');
SELECT results_eq($$
  SELECT c.relname FROM ours AS c
   WHERE c.relrowsecurity AND NOT EXISTS (SELECT 1 FROM pg_policy AS p WHERE p.polrelid = c.oid)
  $$, ARRAY['credential'::name], 'B16: credential has no policy: nobody is to see a row of it; every other table has one');
CREATE TEMP VIEW policies AS
  SELECT c.relname, p.polname, pg_get_expr(p.polqual, p.polrelid) AS shown, pg_get_expr(p.polwithcheck, p.polrelid) AS written,
         p.polpermissive, p.polcmd, m.service,
         (SELECT min(a.attname) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname IN ('module', 'pairing')) AS subject
    FROM ours AS c JOIN pg_policy AS p ON p.polrelid = c.oid LEFT JOIN crm_bridge.module AS m ON m.module = c.relname;
-- They speak of modules and pairings and hold no record's values.
CREATE TEMP VIEW configuration (name) AS VALUES ('service_field'), ('pairing'), ('field_mapping'), ('integration_field'), ('cursor'), ('run'), ('budget'),
  ('budget_limit'), ('budget_use'), ('budget_place'), ('webhook_channel');
SELECT is_empty($$ SELECT relname, polname FROM policies WHERE NOT polpermissive OR polcmd <> '*' $$,
  'scale-out 20: every policy is for all commands');
SELECT is_empty($$
  SELECT relname, polname, shown, written FROM policies
   WHERE service = 'zoho_projects' AND (shown <> '(org_id = crm_bridge._visible_org())' OR written IS DISTINCT FROM '(org_id = crm_bridge.current_org())')
  $$, 'R36: the mirrors of Projects compare the row''s organization with the one that tab and View let be seen');
SELECT is_empty($$
  SELECT relname, polname, shown, written FROM policies
   WHERE service IS DISTINCT FROM 'zoho_projects'
     AND (shown <> CASE WHEN subject IS NULL OR relname IN (SELECT name FROM configuration) THEN '(org_id = crm_bridge.current_org())'
                        ELSE format('((org_id = crm_bridge.current_org()) AND crm_bridge._may_see(%s))', subject) END OR written IS NOT NULL)
  $$, 'scale-out 20: the others with the session''s, and what is noted of a module or pairing follows it; they do nothing else');
SELECT is_empty($$
  SELECT c.relname FROM ours AS c WHERE c.relkind = 'v' AND NOT 'security_invoker=true' = ANY (COALESCE(c.reloptions, '{}'))
  $$, 'design §4: every view reads with the rights of whoever asks');

-- Mirrors ----------------------------------------------------------------------------------------------------------

CREATE TEMP VIEW shared_columns (name, type) AS VALUES
  ('org_id', 'bigint'), ('id', 'uuid'), ('external_id', 'text'), ('custom_fields', 'jsonb'), ('origin', 'text'),
  ('created_at', 'timestamp with time zone'), ('modified_at', 'timestamp with time zone'), ('modified_by', 'text');

SELECT is_empty($$
  SELECT m.module FROM crm_bridge.module AS m
   WHERE NOT EXISTS (SELECT 1 FROM ours AS c WHERE c.relname = m.module AND c.relkind = 'r')
  $$, 'every module has its mirror');
SELECT set_eq($$
  SELECT m.module, a.attname::text, format_type(a.atttypid, a.atttypmod)
    FROM crm_bridge.module AS m JOIN ours AS c ON c.relname = m.module
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  $$, $$
  SELECT m.module, s.name, s.type FROM crm_bridge.module AS m CROSS JOIN shared_columns AS s
   UNION ALL
  SELECT f.module, f.field, CASE f.type WHEN 'number' THEN 'numeric' WHEN 'money' THEN 'numeric' WHEN 'boolean' THEN 'boolean'
                                        WHEN 'date' THEN 'date' WHEN 'instant' THEN 'timestamp with time zone' WHEN 'json' THEN 'jsonb'
                                        WHEN 'reference' THEN 'uuid' WHEN 'references' THEN 'uuid[]' ELSE 'text' END
    FROM crm_bridge.standard_field AS f
  $$, 'design §3: a mirror''s columns are the shared ones and its standard fields, each of the field''s type, and what is computed from them');
SELECT is_empty($$
  SELECT f.module, f.field FROM crm_bridge.standard_field AS f
   WHERE f.reference_module IS NOT NULL AND NOT EXISTS (SELECT 1 FROM crm_bridge.module AS m WHERE m.module = f.reference_module)
  $$, 'a reference refers to a module that there is');
SELECT is_empty($$
  SELECT m.module, t.name FROM crm_bridge.module AS m
   CROSS JOIN (VALUES ('0_guard', 'guard'), ('0_capture_insert', 'capture'), ('0_capture_update', 'capture'),
                      ('0_capture_delete', 'capture'), ('0_refuse_truncate', 'refuse_truncate')) AS t (name, function)
   WHERE NOT EXISTS (SELECT 1 FROM pg_trigger AS g JOIN ours AS c ON c.oid = g.tgrelid JOIN pg_proc AS p ON p.oid = g.tgfoid
                      WHERE c.relname = m.module AND g.tgname = t.name AND p.proname = t.function AND g.tgenabled = 'O'
                        AND g.tgargs = convert_to(m.module, 'UTF8') || '\x00')
  $$, 'design §5: every mirror is guarded, captured and kept from TRUNCATE; the triggers take the module as argument');
SELECT is_empty($$
  SELECT c.relname FROM ours AS c
   WHERE EXISTS (SELECT 1 FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgname = '0_guard')
     AND c.relname NOT IN (SELECT m.module FROM crm_bridge.module AS m)
  $$, 'no other table is captured');

-- The extension ----------------------------------------------------------------------------------------------------

SELECT is_empty($$
  SELECT c.relname FROM ours AS c WHERE c.relkind IN ('r', 'p', 'v', 'S')
     AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
   UNION ALL
  SELECT f.proname FROM functions AS f
   WHERE NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
  $$, 'style 41: everything in the schema belongs to the extension');
SELECT set_eq($$
  SELECT c.relname::text FROM ours AS c WHERE c.relkind IN ('r', 'p')
     AND c.oid <> ALL ((SELECT e.extconfig FROM pg_extension AS e WHERE e.extname = 'crm_bridge')::oid[])
  $$, ARRAY['installation', 'module', 'standard_field', 'capability', 'known_setting', 'lease', 'history', 'message_text'],
  'design §3: a dump keeps every table but the server''s identity, the catalogs, the leases, and history''s empty parent');

SELECT * FROM finish();
ROLLBACK;
