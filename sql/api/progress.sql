-- How far an account's and a deal's projects are, and what happens in them (R57, R58).

CREATE VIEW crm_bridge.account_progress WITH (security_invoker = true) AS
  SELECT g.org_id, g.account_id, g.account, count(*) AS projects, round(avg(g.percent_complete), 1) AS percent_complete,
         sum(g.open_tasks)::bigint AS open_tasks, sum(g.closed_tasks)::bigint AS closed_tasks, sum(g.overdue_tasks)::bigint AS overdue_tasks,
         max(g.last_activity) AS last_activity, bool_and(g.in_step) AS in_step, now() AS as_of
    FROM crm_bridge.project_progress AS g
   WHERE g.account_id IS NOT NULL
   GROUP BY g.org_id, g.account_id, g.account;
COMMENT ON VIEW crm_bridge.account_progress IS 'one row an account that has projects: how far they are together (R58)';

CREATE VIEW crm_bridge.deal_progress WITH (security_invoker = true) AS
  SELECT g.org_id, g.deal_id, g.deal, g.account_id, g.account, count(*) AS projects, round(avg(g.percent_complete), 1) AS percent_complete,
         sum(g.open_tasks)::bigint AS open_tasks, sum(g.closed_tasks)::bigint AS closed_tasks, sum(g.overdue_tasks)::bigint AS overdue_tasks,
         max(g.last_activity) AS last_activity, bool_and(g.in_step) AS in_step, now() AS as_of
    FROM crm_bridge.project_progress AS g
   WHERE g.deal_id IS NOT NULL
   GROUP BY g.org_id, g.deal_id, g.deal, g.account_id, g.account;
COMMENT ON VIEW crm_bridge.deal_progress IS 'one row a deal that has projects: how far they are together (R58)';

-- Read the newest first: ORDER BY at DESC LIMIT n walks history's own key and looks up what is shown, no more.
CREATE VIEW crm_bridge.activity_feed WITH (security_invoker = true) AS
  SELECT h.org_id, h.at, a.id AS account_id, a.account_name AS account, w.project_id, p.name AS project,
         h.module, h.record_id, w.title, h.operation, ARRAY(SELECT jsonb_object_keys(h.old) WHERE h.operation = 'update') AS fields,
         h.actor, h.origin, h.event_id
    FROM crm_bridge.history AS h
   CROSS JOIN LATERAL (
         -- Of what is deleted, history has kept where it was.
         SELECT COALESCE(n.project_id, (h.old ->> 'project_id')::uuid) AS project_id, COALESCE(n.title, h.old ->> 'name', h.old ->> 'content') AS title
           FROM (VALUES (1)) AS always (row)
           LEFT JOIN LATERAL (
                (SELECT x.id AS project_id, x.name AS title FROM crm_bridge.projects_project AS x
                  WHERE h.module = 'projects_project' AND x.org_id = h.org_id AND x.id = h.record_id LIMIT 1)
                 UNION ALL
                (SELECT x.project_id, x.name FROM crm_bridge.projects_task AS x
                  WHERE h.module = 'projects_task' AND x.org_id = h.org_id AND x.id = h.record_id LIMIT 1)
                 UNION ALL
                (SELECT x.project_id, x.name FROM crm_bridge.projects_task_list AS x
                  WHERE h.module = 'projects_task_list' AND x.org_id = h.org_id AND x.id = h.record_id LIMIT 1)
                 UNION ALL
                (SELECT x.project_id, x.content FROM crm_bridge.projects_comment AS x
                  WHERE h.module = 'projects_comment' AND x.org_id = h.org_id AND x.id = h.record_id LIMIT 1)) AS n ON true) AS w
    LEFT JOIN LATERAL (SELECT x.name, x.client_id FROM crm_bridge.projects_project AS x WHERE x.org_id = h.org_id AND x.id = w.project_id LIMIT 1) AS p ON true
    LEFT JOIN LATERAL (SELECT l.left_id FROM crm_bridge.link AS l
                        WHERE l.org_id = h.org_id AND l.right_id = p.client_id AND l.pairing = 'account_client' AND l.state = 'active' LIMIT 1) AS c ON true
    LEFT JOIN LATERAL (SELECT l.left_id FROM crm_bridge.link AS l
                        WHERE c.left_id IS NULL AND l.org_id = h.org_id AND l.right_id = w.project_id AND l.pairing = 'deal_project' AND l.state = 'active' LIMIT 1) AS o ON true
    LEFT JOIN LATERAL (SELECT x.account_id FROM crm_bridge.crm_deal AS x WHERE x.org_id = h.org_id AND x.id = o.left_id LIMIT 1) AS d ON true
    LEFT JOIN LATERAL (SELECT x.id, x.account_name FROM crm_bridge.crm_account AS x
                        WHERE x.org_id = h.org_id AND x.id = COALESCE(c.left_id, d.account_id) LIMIT 1) AS a ON true
   WHERE h.module IN ('projects_project', 'projects_task', 'projects_task_list', 'projects_comment');
COMMENT ON VIEW crm_bridge.activity_feed IS 'what happens in the projects of every account, in one place (R57)';

DO $comments$
DECLARE
  view_column record;
  meaning jsonb := '{
    "org_id": "the organization", "account_id": "the account", "account": "its name", "deal_id": "the deal", "deal": "its name",
    "projects": "how many projects", "percent_complete": "mean of what Projects says of each", "open_tasks": "tasks not closed",
    "closed_tasks": "tasks closed", "overdue_tasks": "open tasks whose end has passed", "last_activity": "last change of a project, a task or a comment",
    "in_step": "whether all projects are as Projects has them", "as_of": "when this was read", "at": "when", "project_id": "the project", "project": "its name",
    "module": "what kind of record", "record_id": "the record", "title": "its name, of a comment its text", "operation": "insert, update or delete",
    "fields": "the fields that an update changed", "actor": "who did it", "origin": "where it came from", "event_id": "the change''s own id"}';
BEGIN
  FOR view_column IN
    SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
     WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relname IN ('account_progress', 'deal_progress', 'activity_feed') LOOP
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.%I IS %L', view_column.relname, view_column.attname, meaning ->> view_column.attname);
  END LOOP;
END
$comments$;
