-- What became of each client and account, for analysts and for the report to the administrators (R41).

-- Every client and every account, linked or with exactly one reason (D12).  Reasons are those of the moment: after a rename, a new
-- account, a decision they are others.  Each row is a few probes of keys, whatever the planner knows of the tables.
CREATE VIEW crm_bridge.client_match_report WITH (security_invoker = true) AS
  SELECT c.org_id, 'client' AS side, c.id AS client_id, c.name AS client, COALESCE(l.left_id, s.account_id) AS account_id, a.account_name AS account,
         CASE WHEN l.link_id IS NOT NULL THEN 'linked' WHEN s.account_id IS NOT NULL THEN 'proposed' ELSE 'not_linked' END AS result,
         CASE WHEN l.link_id IS NOT NULL THEN NULL
              WHEN i.portal_id IS NULL THEN 'integration_inactive'
              WHEN COALESCE(c.name_key, '') = '' THEN 'no_name'
              WHEN cardinality(f.ids) = 0 THEN 'no_account_of_that_name'
              WHEN cardinality(f.ids) > 1 OR cardinality(t.ids) > 1 THEN 'ambiguous'
              WHEN d.link_id IS NOT NULL THEN 'unlinked'
              WHEN EXISTS (SELECT 1 FROM crm_bridge.link AS o WHERE o.org_id = c.org_id AND o.left_id = f.ids[1]
                             AND o.pairing = 'account_client' AND o.state <> 'archived') THEN 'ambiguous'
              ELSE 'not_requested' END AS reason,
         s.reason AS look_alike, s.score, l.created_at AS linked_at, l.created_by AS linked_by, now() AS as_of
    FROM crm_bridge.projects_client AS c
    LEFT JOIN LATERAL (SELECT x.portal_id FROM crm_bridge.integration AS x
                        WHERE x.org_id = c.org_id AND x.service = 'zoho_projects' AND x.state = 'active' LIMIT 1) AS i ON true
    LEFT JOIN LATERAL (SELECT x.link_id, x.left_id, x.created_at, x.created_by FROM crm_bridge.link AS x
                        WHERE x.org_id = c.org_id AND x.right_id = c.id AND x.pairing = 'account_client' AND x.state <> 'archived' LIMIT 1) AS l ON true
   CROSS JOIN LATERAL (SELECT ARRAY(SELECT x.id FROM crm_bridge.crm_account AS x
                                     WHERE l.link_id IS NULL AND x.org_id = c.org_id AND x.name_key = c.name_key LIMIT 2) AS ids) AS f
   CROSS JOIN LATERAL (SELECT ARRAY(SELECT x.id FROM crm_bridge.projects_client AS x
                                     WHERE l.link_id IS NULL AND x.org_id = c.org_id AND x.name_key = c.name_key
                                       AND (x.portal_id = i.portal_id OR x.portal_id IS NULL) LIMIT 2) AS ids) AS t
    LEFT JOIN LATERAL (SELECT x.link_id FROM crm_bridge.link AS x
                        WHERE l.link_id IS NULL AND x.org_id = c.org_id AND x.pairing = 'account_client' AND x.right_id = c.id
                          AND x.left_id = f.ids[1] AND x.state = 'archived' AND x.reason = 'unlinked' LIMIT 1) AS d ON true
    LEFT JOIN LATERAL (SELECT x.account_id, x.reason, x.score FROM crm_bridge.match_result AS x
                        WHERE l.link_id IS NULL AND x.org_id = c.org_id AND x.client_id = c.id ORDER BY x.score DESC, x.account_id LIMIT 1) AS s ON true
    LEFT JOIN LATERAL (SELECT x.account_name FROM crm_bridge.crm_account AS x
                        WHERE x.org_id = c.org_id AND x.id = COALESCE(l.left_id, s.account_id) LIMIT 1) AS a ON true
   -- Clients of a portal that is linked no more are no longer in scope.
   WHERE i.portal_id IS NULL OR l.link_id IS NOT NULL OR c.portal_id IS NULL OR c.portal_id = i.portal_id
   UNION ALL
  SELECT a.org_id, 'account', l.right_id, c.name, a.id, a.account_name,
         CASE WHEN l.link_id IS NOT NULL THEN 'linked' ELSE 'not_linked' END,
         CASE WHEN l.link_id IS NOT NULL THEN NULL
              WHEN i.portal_id IS NULL THEN 'integration_inactive'
              WHEN COALESCE(a.name_key, '') = '' THEN 'no_name'
              WHEN cardinality(f.ids) = 0 THEN 'account_not_mapped'
              WHEN cardinality(f.ids) > 1 OR cardinality(t.ids) > 1 THEN 'ambiguous'
              WHEN d.link_id IS NOT NULL THEN 'unlinked'
              WHEN EXISTS (SELECT 1 FROM crm_bridge.link AS o WHERE o.org_id = a.org_id AND o.right_id = f.ids[1]
                             AND o.pairing = 'account_client' AND o.state <> 'archived') THEN 'ambiguous'
              ELSE 'not_requested' END,
         NULL, NULL, l.created_at, l.created_by, now()
    FROM crm_bridge.crm_account AS a
    LEFT JOIN LATERAL (SELECT x.portal_id FROM crm_bridge.integration AS x
                        WHERE x.org_id = a.org_id AND x.service = 'zoho_projects' AND x.state = 'active' LIMIT 1) AS i ON true
    LEFT JOIN LATERAL (SELECT x.link_id, x.right_id, x.created_at, x.created_by FROM crm_bridge.link AS x
                        WHERE x.org_id = a.org_id AND x.left_id = a.id AND x.pairing = 'account_client' AND x.state <> 'archived' LIMIT 1) AS l ON true
   CROSS JOIN LATERAL (SELECT ARRAY(SELECT x.id FROM crm_bridge.projects_client AS x
                                     WHERE l.link_id IS NULL AND x.org_id = a.org_id AND x.name_key = a.name_key
                                       AND (x.portal_id = i.portal_id OR x.portal_id IS NULL) LIMIT 2) AS ids) AS f
   CROSS JOIN LATERAL (SELECT ARRAY(SELECT x.id FROM crm_bridge.crm_account AS x
                                     WHERE l.link_id IS NULL AND x.org_id = a.org_id AND x.name_key = a.name_key LIMIT 2) AS ids) AS t
    LEFT JOIN LATERAL (SELECT x.link_id FROM crm_bridge.link AS x
                        WHERE l.link_id IS NULL AND x.org_id = a.org_id AND x.pairing = 'account_client' AND x.left_id = a.id
                          AND x.right_id = f.ids[1] AND x.state = 'archived' AND x.reason = 'unlinked' LIMIT 1) AS d ON true
    LEFT JOIN LATERAL (SELECT x.name FROM crm_bridge.projects_client AS x WHERE x.org_id = a.org_id AND x.id = l.right_id LIMIT 1) AS c ON true;
COMMENT ON VIEW crm_bridge.client_match_report IS 'every client and every account: linked with which, or the one reason why not (R41, D12)';
COMMENT ON COLUMN crm_bridge.client_match_report.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.client_match_report.side IS 'client or account: whose row it is; a linked pair has one of each';
COMMENT ON COLUMN crm_bridge.client_match_report.client_id IS 'the client in Projects';
COMMENT ON COLUMN crm_bridge.client_match_report.client IS 'its name';
COMMENT ON COLUMN crm_bridge.client_match_report.account_id IS 'the account in the CRM; of a proposal the one that looks most alike';
COMMENT ON COLUMN crm_bridge.client_match_report.account IS 'its name';
COMMENT ON COLUMN crm_bridge.client_match_report.result IS 'linked, not_linked, or proposed: not linked, but something looks alike';
COMMENT ON COLUMN crm_bridge.client_match_report.reason IS
  'why it is not linked: no_name, no_account_of_that_name, account_not_mapped (no client of that name), ambiguous (the name stands twice, or its one bearer is linked with another), unlinked (by hand), not_requested, integration_inactive';
COMMENT ON COLUMN crm_bridge.client_match_report.look_alike IS 'why the account is proposed';
COMMENT ON COLUMN crm_bridge.client_match_report.score IS 'how alike, from 0 to 1';
COMMENT ON COLUMN crm_bridge.client_match_report.linked_at IS 'since when it is linked';
COMMENT ON COLUMN crm_bridge.client_match_report.linked_by IS 'the role that linked it';
COMMENT ON COLUMN crm_bridge.client_match_report.as_of IS 'when this was read';

-- E-mail addresses of the organization's administrators: CRM users whose profile is one of setting administrator_profiles, and
-- people whom a role with the rights of an administrator stands for.
CREATE OR REPLACE FUNCTION crm_bridge._administrators(org_id bigint)
RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _administrators.org_id;
  profiles jsonb := COALESCE((SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = org AND s.name = 'administrator_profiles'), '["Administrator"]');
BEGIN
  RETURN QUERY
  SELECT DISTINCT u.email FROM crm_bridge.crm_user AS u
    LEFT JOIN crm_bridge.crm_profile AS p ON p.org_id = org AND p.id = u.profile_id
   WHERE u.org_id = org AND u.email <> '' AND COALESCE(u.status, 'active') = 'active'
     AND (profiles ? p.name
          OR EXISTS (SELECT 1 FROM crm_bridge.role_binding AS b WHERE b.org_id = org AND b.kind = 'administrator' AND b.user_id = u.id))
   ORDER BY 1;
END
$$;
COMMENT ON FUNCTION crm_bridge._administrators(bigint) IS 'e-mail addresses of the organization''s administrators (setting administrator_profiles)';
REVOKE ALL ON FUNCTION crm_bridge._administrators(bigint) FROM PUBLIC;

-- One cell of a CSV file (RFC 4180).  What a spreadsheet would take for a formula is led by an apostrophe.
CREATE OR REPLACE FUNCTION crm_bridge._csv_cell(value text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  cell text := CASE WHEN value ~ '^[\s]*[=+@-]' OR value ~ '^[\t\r\n]' THEN '''' || value ELSE COALESCE(value, '') END;
BEGIN
  RETURN CASE WHEN cell ~ '[",\r\n;]|^\s|\s$' THEN '"' || replace(cell, '"', '""') || '"' ELSE cell END;
END
$$;
COMMENT ON FUNCTION crm_bridge._csv_cell(text) IS 'a value as a cell of a CSV file, never a formula';
REVOKE ALL ON FUNCTION crm_bridge._csv_cell(text) FROM PUBLIC;

-- The attachment: clients that are not linked with their reasons, what the run linked, accounts that are not linked although a
-- client bears their name, "most" rows at most.  A byte order mark tells spreadsheets that it is UTF-8.
CREATE OR REPLACE FUNCTION crm_bridge._match_report_csv(run uuid, most integer, org_id bigint)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _match_report_csv.org_id;
  portal uuid := (SELECT i.portal_id FROM crm_bridge.integration AS i
                   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state = 'active');
  began timestamptz;
  lines text[];
BEGIN
  SELECT r.started_at INTO began FROM crm_bridge.run AS r WHERE r.org_id = org AND r.run_id = run;
  SELECT array_agg(concat_ws(',', crm_bridge._csv_cell(b.client), crm_bridge._csv_cell(b.account), b.result, COALESCE(b.reason, ''))
                   ORDER BY b.part, b.reason, b.client, b.account)
    INTO lines
    FROM (SELECT * FROM (
            SELECT 1 AS part, c.name AS client, a.account_name AS account, CASE WHEN s.account_id IS NULL THEN 'not_linked' ELSE 'proposed' END AS result, u.reason
              FROM crm_bridge._unmatched(portal, org) AS u
              JOIN crm_bridge.projects_client AS c ON c.org_id = org AND c.id = u.client_id
              LEFT JOIN (SELECT DISTINCT ON (x.client_id) x.client_id, x.account_id FROM crm_bridge.match_result AS x
                          WHERE x.org_id = org ORDER BY x.client_id, x.score DESC, x.account_id) AS s ON s.client_id = c.id
              LEFT JOIN crm_bridge.crm_account AS a ON a.org_id = org AND a.id = s.account_id
             UNION ALL
            SELECT 2, c.name, a.account_name, 'linked', NULL FROM crm_bridge.link AS l
             CROSS JOIN LATERAL (SELECT x.name FROM crm_bridge.projects_client AS x WHERE x.org_id = org AND x.id = l.right_id LIMIT 1) AS c
             CROSS JOIN LATERAL (SELECT x.account_name FROM crm_bridge.crm_account AS x WHERE x.org_id = org AND x.id = l.left_id LIMIT 1) AS a
             WHERE l.org_id = org AND l.pairing = 'account_client' AND l.state <> 'archived' AND l.created_at = began
             UNION ALL
            SELECT 3, NULL, a.account_name, 'not_linked', u.reason
              FROM crm_bridge._unmatched(portal, org) AS u
              JOIN crm_bridge.crm_account AS a ON a.org_id = org AND a.id = u.account_id
             WHERE u.reason <> 'account_not_mapped') AS t
           LIMIT most + 1) AS b;
  RETURN E'\uFEFFclient,account,result,reason\r\n' || COALESCE(array_to_string(lines[1:most], E'\r\n') || E'\r\n', '')
      || CASE WHEN cardinality(lines) > most
              THEN crm_bridge._csv_cell(format('only the first %s rows; all are in crm_bridge.client_match_report', most)) || E',,,\r\n' ELSE '' END;
END
$$;
COMMENT ON FUNCTION crm_bridge._match_report_csv(uuid, integer, bigint) IS 'the report of a matching as CSV (R41)';
REVOKE ALL ON FUNCTION crm_bridge._match_report_csv(uuid, integer, bigint) FROM PUBLIC;

-- What the worker calls for a command finish_matching: people, look-alikes, the mail to all administrators (R41, R45, R46).
-- Safe to repeat.  Result: what was found.
CREATE OR REPLACE FUNCTION crm_bridge.finish_matching(command_id uuid, org_id bigint DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(finish_matching.org_id, crm_bridge._own_org(NULL));
  asked jsonb;
  run uuid;
  report text;
  recipient text;
  told integer := 0;
  people bigint;
  facts jsonb;
BEGIN
  SELECT c.arguments INTO asked FROM crm_bridge.command AS c
   WHERE c.org_id = org AND c.command_id = finish_matching.command_id AND c.kind = 'finish_matching';
  run := (asked ->> 'run')::uuid;
  PERFORM 1 FROM crm_bridge.run AS r WHERE r.org_id = org AND r.run_id = run AND r.state = 'running' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN '{}';
  END IF;
  people := crm_bridge._match_client_users(NULL, org);
  SELECT jsonb_build_object(
           'matched', COALESCE(sum(n.clients) FILTER (WHERE n.reason IS NULL), 0),
           'unmatched', COALESCE(sum(n.clients) FILTER (WHERE n.reason IS NOT NULL), 0),
           'reasons', COALESCE(jsonb_object_agg(n.reason, n.clients) FILTER (WHERE n.reason IS NOT NULL AND n.clients > 0), '{}'),
           'accounts_unmatched', COALESCE(sum(n.accounts) FILTER (WHERE n.reason IS NOT NULL), 0))
    INTO facts
    FROM jsonb_to_recordset(asked -> 'counted') AS n (reason text, clients bigint, accounts bigint);
  facts := facts || jsonb_build_object(
    'proposed', crm_bridge._propose_look_alikes(run, org), 'people', people, 'by', asked ->> 'by',
    'portal', (SELECT p.name FROM crm_bridge.integration AS i JOIN crm_bridge.projects_portal AS p ON p.org_id = org AND p.id = i.portal_id
                WHERE i.org_id = org AND i.service = 'zoho_projects'));
  report := crm_bridge._match_report_csv(run, 50000, org);
  FOR recipient IN SELECT * FROM crm_bridge._administrators(org) LOOP
    PERFORM crm_bridge._notify(org, recipient, 'clients_matched', facts, 'clients.csv', report);
    told := told + 1;
  END LOOP;
  IF told = 0 THEN
    -- Nobody is known yet: the report is kept for the role that asked.
    PERFORM crm_bridge._notify(org, asked ->> 'by', 'clients_matched', facts, 'clients.csv', report);
  END IF;
  PERFORM crm_bridge.finish_run(run, 'finished', NULL, org);
  RETURN facts;
END
$$;
COMMENT ON FUNCTION crm_bridge.finish_matching(uuid, bigint) IS 'what a matching does in the background: people, look-alikes, the report (R41, R45, R46)';
REVOKE ALL ON FUNCTION crm_bridge.finish_matching(uuid, bigint) FROM PUBLIC;
