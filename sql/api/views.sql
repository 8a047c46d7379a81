-- What an analyst reads.  Every view runs with the reader's own rights; names stand beside the ids.

CREATE VIEW crm_bridge.sync_backlog WITH (security_invoker = true) AS
  SELECT d.org_id, d.service, d.module,
         count(*) FILTER (WHERE d.state = 'pending')   AS pending,
         count(*) FILTER (WHERE d.state = 'in_flight') AS in_flight,
         count(*) FILTER (WHERE d.state = 'waiting')   AS waiting,
         count(*) FILTER (WHERE d.state = 'held')      AS held,
         count(*) FILTER (WHERE d.state = 'parked')    AS parked,
         count(*) FILTER (WHERE d.state = 'dead')      AS dead,
         min(d.queued_at) FILTER (WHERE NOT d.stopped) AS oldest,
         now() AS as_of
    FROM crm_bridge.delivery AS d
   GROUP BY d.org_id, d.service, d.module;
COMMENT ON VIEW crm_bridge.sync_backlog IS 'how many records each service lacks, by module and state';

CREATE VIEW crm_bridge.integration_overview WITH (security_invoker = true) AS
  SELECT o.org_id, o.name AS organization, i.service, i.state, p.name AS portal,
         i.service = 'zoho_projects' AND i.state IN ('active', 'stopped', 'trial_expired') AS tab_visible, i.activated_at,
         CASE WHEN o.edition = 'free' AND i.service = 'zoho_projects' THEN i.trial_ends_at END AS trial_ends_at,
         i.stopped_reason, i.stopped_detail, i.stopped_since, i.reads_until,
         COALESCE(b.waiting_to_be_sent, 0) AS waiting_to_be_sent,
         COALESCE(b.need_a_person, 0) AS need_a_person,
         b.oldest AS oldest_change,
         (SELECT count(*) FROM crm_bridge.conflict AS c
           WHERE c.org_id = o.org_id AND c.winner = 'none' AND c.resolved_at IS NULL) AS open_conflicts,
         (SELECT max(r.finished_at) FROM crm_bridge.run AS r
           WHERE r.org_id = o.org_id AND r.service = i.service AND r.state = 'finished') AS last_read,
         COALESCE(b.waiting_to_be_sent, 0) = 0
           AND NOT EXISTS (SELECT 1 FROM crm_bridge.reconcile_request AS q WHERE q.org_id = o.org_id) AS in_step,
         now() AS as_of
    FROM crm_bridge.organization AS o
    JOIN crm_bridge.integration AS i ON i.org_id = o.org_id
    LEFT JOIN crm_bridge.projects_portal AS p ON p.org_id = i.org_id AND p.id = i.portal_id
    LEFT JOIN LATERAL (
         SELECT sum(s.pending + s.in_flight + s.waiting) AS waiting_to_be_sent, sum(s.held + s.parked + s.dead) AS need_a_person,
                min(s.oldest) AS oldest
           FROM crm_bridge.sync_backlog AS s WHERE s.org_id = i.org_id AND s.service = i.service) AS b ON true;
COMMENT ON VIEW crm_bridge.integration_overview IS 'one row a service: its state, what waits, whether everything is in step';

CREATE VIEW crm_bridge.dead_letters WITH (security_invoker = true) AS
  SELECT d.org_id, d.service, d.module, d.record_id, d.operation, d.state, d.attempts, d.reason, d.detail, d.fields,
         d.queued_at, now() AS as_of
    FROM crm_bridge.delivery AS d
   WHERE d.state IN ('parked', 'dead');
COMMENT ON VIEW crm_bridge.dead_letters IS 'records that need a person, with the service''s own words; retry(record_id) sends one again';

CREATE VIEW crm_bridge.refusals WITH (security_invoker = true) AS
  SELECT r.org_id, r.refusal_id, r.at, r.module, m.label, r.record_id,
         n.name AS record,
         pp.name AS project, r.field, r.reason, r.detail, r.value, r.agreed, r.refused_for, r.reverted, r.link_id, now() AS as_of
    FROM crm_bridge.refusal AS r
    JOIN crm_bridge.module AS m ON m.module = r.module
    LEFT JOIN LATERAL (SELECT x.name FROM crm_bridge.record_name AS x
                        WHERE x.org_id = r.org_id AND x.module = r.module AND x.record_id = r.record_id LIMIT 1) AS n ON true
    LEFT JOIN crm_bridge.link AS l ON r.module = 'crm_task' AND l.org_id = r.org_id AND l.link_id = r.link_id
    LEFT JOIN crm_bridge.projects_task AS tw ON tw.org_id = r.org_id AND tw.id = COALESCE(l.right_id, CASE r.module WHEN 'projects_task' THEN r.record_id END)
    LEFT JOIN crm_bridge.projects_project AS pp ON pp.org_id = tw.org_id AND pp.id = tw.project_id;
COMMENT ON VIEW crm_bridge.refusals IS 'changes that the other side does not take: whose, of which record and field, why, and what became of them';
COMMENT ON COLUMN crm_bridge.refusals.refusal_id IS 'its own id';
COMMENT ON COLUMN crm_bridge.refusals.label IS 'what people call such a record';
COMMENT ON COLUMN crm_bridge.refusals.record IS 'the record''s name';
COMMENT ON COLUMN crm_bridge.refusals.project IS 'of a task: its project';
COMMENT ON COLUMN crm_bridge.refusals.value IS 'the value that was refused';
COMMENT ON COLUMN crm_bridge.refusals.agreed IS 'the value that both sides agree on, where the rule of a project refused the other';
COMMENT ON COLUMN crm_bridge.refusals.refused_for IS 'who wrote the value';
COMMENT ON COLUMN crm_bridge.refusals.reverted IS 'whether the record was put back to the agreed value';

CREATE VIEW crm_bridge.link_status WITH (security_invoker = true) AS
  SELECT l.org_id, l.link_id, l.pairing, l.state, l.left_id, l.right_id,
         COALESCE(d.deal_name, a.account_name, t.subject) AS left_name,
         COALESCE(p.name, c.name, pt.name) AS right_name,
         l.left_base = '{}' AND l.right_base = '{}'
           AND NOT EXISTS (SELECT 1 FROM crm_bridge.reconcile_request AS r WHERE r.org_id = l.org_id AND r.link_id = l.link_id)
           AND NOT EXISTS (SELECT 1 FROM crm_bridge.delivery AS q WHERE q.org_id = l.org_id AND q.record_id IN (l.left_id, l.right_id))
           AS in_step,
         ARRAY(SELECT jsonb_object_keys(l.left_base)) AS fields_apart,
         l.reason, l.created_at, l.created_by, now() AS as_of
    FROM crm_bridge.link AS l
    LEFT JOIN crm_bridge.crm_deal AS d ON l.pairing = 'deal_project' AND d.org_id = l.org_id AND d.id = l.left_id
    LEFT JOIN crm_bridge.crm_account AS a ON l.pairing = 'account_client' AND a.org_id = l.org_id AND a.id = l.left_id
    LEFT JOIN crm_bridge.crm_task AS t ON l.pairing = 'task_task' AND t.org_id = l.org_id AND t.id = l.left_id
    LEFT JOIN crm_bridge.projects_project AS p ON l.pairing = 'deal_project' AND p.org_id = l.org_id AND p.id = l.right_id
    LEFT JOIN crm_bridge.projects_client AS c ON l.pairing = 'account_client' AND c.org_id = l.org_id AND c.id = l.right_id
    LEFT JOIN crm_bridge.projects_task AS pt ON l.pairing = 'task_task' AND pt.org_id = l.org_id AND pt.id = l.right_id;
COMMENT ON VIEW crm_bridge.link_status IS 'every link with the names of both faces, and whether they are in step with each other and with their services';

-- Each join is a probe of a whole key, which LIMIT makes sure of: over tables that are young the planner would choose loops that
-- read everything for every row.
CREATE VIEW crm_bridge.project_progress WITH (security_invoker = true) AS
  SELECT p.org_id, p.id AS project_id, p.name AS project, a.id AS account_id, a.account_name AS account,
         d.id AS deal_id, d.deal_name AS deal, p.status, p.percent_complete, p.start_date, p.end_date,
         t.open_tasks, t.closed_tasks, t.overdue_tasks, GREATEST(p.modified_at, t.last_activity, c.last_activity) AS last_activity,
         p.external_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM crm_bridge.delivery AS q WHERE q.org_id = p.org_id AND q.record_id = p.id) AS in_step,
         now() AS as_of
    FROM crm_bridge.projects_project AS p
    LEFT JOIN LATERAL (SELECT l.left_id FROM crm_bridge.link AS l
                        WHERE l.org_id = p.org_id AND l.right_id = p.id AND l.pairing = 'deal_project' AND l.state = 'active' LIMIT 1) AS ld ON true
    LEFT JOIN LATERAL (SELECT x.id, x.deal_name, x.account_id FROM crm_bridge.crm_deal AS x
                        WHERE x.org_id = p.org_id AND x.id = ld.left_id LIMIT 1) AS d ON true
    LEFT JOIN LATERAL (SELECT l.left_id FROM crm_bridge.link AS l
                        WHERE l.org_id = p.org_id AND l.right_id = p.client_id AND l.pairing = 'account_client' AND l.state = 'active' LIMIT 1) AS la ON true
    LEFT JOIN LATERAL (SELECT x.id, x.account_name FROM crm_bridge.crm_account AS x
                        WHERE x.org_id = p.org_id AND x.id = COALESCE(la.left_id, d.account_id) LIMIT 1) AS a ON true
    LEFT JOIN LATERAL (
         SELECT count(*) FILTER (WHERE t.is_completed IS NOT TRUE) AS open_tasks,
                count(*) FILTER (WHERE t.is_completed) AS closed_tasks,
                count(*) FILTER (WHERE t.is_completed IS NOT TRUE AND t.end_date < now()) AS overdue_tasks,
                max(t.modified_at) AS last_activity
           FROM crm_bridge.projects_task AS t WHERE t.org_id = p.org_id AND t.project_id = p.id) AS t ON true
    LEFT JOIN LATERAL (SELECT max(x.modified_at) AS last_activity
                         FROM crm_bridge.projects_comment AS x WHERE x.org_id = p.org_id AND x.project_id = p.id) AS c ON true;
COMMENT ON VIEW crm_bridge.project_progress IS 'how far each project is, with its deal and account (R58)';

CREATE VIEW crm_bridge.account_projects WITH (security_invoker = true) AS
  SELECT g.org_id, g.account_id, g.account, g.project_id, g.project, g.deal_id, g.deal,
         g.percent_complete, g.open_tasks, g.overdue_tasks, g.last_activity, g.in_step, g.as_of
    FROM crm_bridge.project_progress AS g
   WHERE g.account_id IS NOT NULL;
COMMENT ON VIEW crm_bridge.account_projects IS 'all projects of each account in one place (R38, R57)';

-- The new value of a change is in the "old" of the field's next change, or else in the record.
CREATE VIEW crm_bridge.record_history WITH (security_invoker = true) AS
  SELECT h.org_id, h.at, h.module, h.record_id, h.operation, h.origin, h.actor, f.key AS field, f.value AS old_value,
         h.transaction_id, h.run_id, h.event_id
    FROM crm_bridge.history AS h
    LEFT JOIN LATERAL jsonb_each(h.old) AS f ON true;
COMMENT ON VIEW crm_bridge.record_history IS 'who changed which field of which record, when, from what (B17): one row a field';

DO $comments$
DECLARE
  view_column record;
  -- What a column means is the same in every view that has it.
  meaning jsonb := '{
    "org_id": "the organization", "service": "the service", "module": "the module", "record_id": "the record", "as_of": "when this was read",
    "pending": "due, or due later after a failure", "in_flight": "handed to a worker", "waiting": "for a record that they refer to",
    "held": "for a person''s approval", "parked": "the service refused them: a person must look", "dead": "attempts used up",
    "oldest": "since when the oldest has been due", "organization": "name of the organization", "state": "state, see the table of that name",
    "portal": "the linked portal", "activated_at": "since when", "stopped_reason": "why it is stopped", "stopped_detail": "in somebody''s words", "stopped_since": "since when", "tab_visible": "whether the CRM shows the Projects tab (R49)", "trial_ends_at": "end of the free edition''s 15 days (R2)", "reads_until": "until then, or until it has been read, nothing is sent", "portal_id": "the portal that is linked", "waiting_to_be_sent": "records that the service lacks",
    "need_a_person": "records that are held, parked or dead", "oldest_change": "since when the oldest of them has waited",
    "open_conflicts": "conflicts that wait for a decision", "last_read": "when the service was read completely last", "in_step": "whether nothing is on its way or apart",
    "operation": "insert, update or delete; write or delete of a delivery", "attempts": "how often it was tried", "reason": "why, as a code", "detail": "the service''s own words",
    "fields": "fields not handed out", "queued_at": "since when it has been due", "conflict_id": "for resolve_conflict", "at": "when", "field": "the field",
    "base": "the value that both sides agreed on", "left_value": "what the left side (or the mirror) had", "right_value": "what the right side (or the service) had",
    "left_by": "who changed the left side", "left_at": "when", "right_by": "who changed the right side", "right_at": "when",
    "winner": "whose value is in force", "losing_value": "the value that is not in force", "needs_decision": "nobody won: a person decides",
    "link_id": "the link", "pairing": "its pairing", "left_id": "the left record", "right_id": "the right record", "left_name": "name of the left record",
    "right_name": "name of the right record", "fields_apart": "fields of the left side that are not in step", "created_at": "when it was made", "created_by": "who made it",
    "project_id": "the project", "project": "its name", "account_id": "the account", "account": "its name", "deal_id": "the deal", "deal": "its name",
    "status": "the project''s status", "percent_complete": "progress in percent, as Projects has it", "start_date": "first day", "end_date": "last day",
    "open_tasks": "tasks not closed", "closed_tasks": "tasks closed", "overdue_tasks": "open tasks whose end has passed", "last_activity": "last change of the project, a task or a comment",
    "origin": "where the change came from", "actor": "who did it", "old_value": "the value before", "transaction_id": "the transaction", "run_id": "the run", "event_id": "the change''s own id"}';
BEGIN
  FOR view_column IN
    SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
     WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relkind = 'v' AND col_description(c.oid, a.attnum) IS NULL LOOP
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.%I IS %L', view_column.relname, view_column.attname, meaning ->> view_column.attname);
  END LOOP;
END
$comments$;
