-- Tasks of projects in the CRM (R68-R76).

-- What a task of a project can be linked with in the CRM: section mapped_accounts, the account that the project's client is linked
-- with (R70); unmapped_accounts, accounts of the client's name that no client is linked with (R71); deals, those of the project (R73).
-- Any other is not offered (R72).  No rows: the client is linked with no account, and the task cannot be added (R68).
CREATE OR REPLACE FUNCTION crm_bridge._targets_of_task(task_id uuid, org_id bigint)
RETURNS TABLE (section text, kind text, id uuid, name text, reason text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  project uuid;
  client crm_bridge.projects_client;
  account uuid;
BEGIN
  SELECT t.project_id INTO project FROM crm_bridge.projects_task AS t WHERE t.org_id = _targets_of_task.org_id AND t.id = _targets_of_task.task_id;
  SELECT c.* INTO client FROM crm_bridge.projects_project AS p
    JOIN crm_bridge.projects_client AS c ON c.org_id = p.org_id AND c.id = p.client_id
   WHERE p.org_id = _targets_of_task.org_id AND p.id = project;
  SELECT l.left_id INTO account FROM crm_bridge.link AS l
   WHERE l.org_id = _targets_of_task.org_id AND l.right_id = client.id AND l.pairing = 'account_client' AND l.state <> 'archived';
  IF account IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT 'mapped_accounts', 'account', a.id, a.account_name, 'client_account'
      FROM crm_bridge.crm_account AS a WHERE a.org_id = _targets_of_task.org_id AND a.id = account;
  RETURN QUERY
    SELECT 'unmapped_accounts', 'account', a.id, a.account_name, 'same_name'
      FROM crm_bridge.crm_account AS a
     WHERE a.org_id = _targets_of_task.org_id AND a.name_key = client.name_key AND a.name_key <> '' AND a.id <> account
       AND NOT EXISTS (SELECT 1 FROM crm_bridge.link AS l
                        WHERE l.org_id = a.org_id AND l.left_id = a.id AND l.pairing = 'account_client' AND l.state <> 'archived')
     ORDER BY a.created_at, a.id;
  RETURN QUERY
    SELECT 'deals', 'deal', d.id, d.deal_name, 'deal_of_project'
      FROM crm_bridge.link AS l
      JOIN crm_bridge.crm_deal AS d ON d.org_id = l.org_id AND d.id = l.left_id
     WHERE l.org_id = _targets_of_task.org_id AND l.right_id = project AND l.pairing = 'deal_project' AND l.state <> 'archived'
     ORDER BY d.deal_name, d.id;
END
$$;
COMMENT ON FUNCTION crm_bridge._targets_of_task(uuid, bigint) IS 'what a task of a project can be linked with in the CRM';
REVOKE ALL ON FUNCTION crm_bridge._targets_of_task(uuid, bigint) FROM PUBLIC;

-- What a person chooses from when he adds a task to the CRM (R69-R73): section, kind (account or deal), id and name, and the reason:
-- client_account, same_name or deal_of_project.  No rows: the task cannot be added (R68).
-- Errors: 42501 the person may not view tasks; 42704 no such task.
CREATE OR REPLACE FUNCTION crm_bridge.task_link_targets(task_id uuid, org_id bigint DEFAULT NULL)
RETURNS TABLE (section text, kind text, id uuid, name text, reason text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(task_link_targets.org_id);
BEGIN
  PERFORM crm_bridge._demand_permission('view', org);
  PERFORM 1 FROM crm_bridge.projects_task AS t WHERE t.org_id = org AND t.id = task_link_targets.task_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('task %s does not exist', task_link_targets.task_id),
      HINT = 'Give the id of a row of crm_bridge.projects_task.';
  END IF;
  RETURN QUERY SELECT t.* FROM crm_bridge._targets_of_task(task_link_targets.task_id, org) AS t;
END
$$;
COMMENT ON FUNCTION crm_bridge.task_link_targets(uuid, bigint) IS 'the accounts and deals with which a task of a project can be linked in the CRM (R69-R73); none: it cannot be (R68)';
REVOKE ALL ON FUNCTION crm_bridge.task_link_targets(uuid, bigint) FROM PUBLIC;

-- Adds a task of a project to the CRM (R69, R74): its twin, linked, about the deal or the account given.
-- Arguments: the task's id; target, the id of one of task_link_targets().  A task that is in the CRM already
-- stays as it is.  Result: the CRM task's id.
-- Errors: 42501 the person may not view and edit tasks; 42704 no such task; 55000 the project's client is not linked with an account (R68); 22023 a target that is not
-- offered (R72, R73).
CREATE OR REPLACE FUNCTION crm_bridge.add_task_to_crm(task_id uuid, target uuid, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  twin uuid;
  chosen text;
BEGIN
  PERFORM crm_bridge._demand_permission('view', org), crm_bridge._demand_permission('edit', org);
  PERFORM 1 FROM crm_bridge.projects_task AS t WHERE t.org_id = org AND t.id = task_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('task %s does not exist', task_id),
      HINT = 'Give the id of a row of crm_bridge.projects_task.';
  END IF;
  SELECT l.left_id INTO twin FROM crm_bridge.link AS l
   WHERE l.org_id = org AND l.right_id = task_id AND l.pairing = 'task_task' AND l.state <> 'archived';
  IF FOUND THEN
    RETURN twin;
  END IF;
  SELECT t.kind INTO chosen FROM crm_bridge._targets_of_task(task_id, org) AS t WHERE t.id = target;
  IF NOT FOUND AND NOT EXISTS (SELECT 1 FROM crm_bridge._targets_of_task(task_id, org) AS t) THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('task %s cannot be added to the CRM', task_id),
      DETAIL = 'The client of its project is not linked with a CRM account.',
      HINT = 'Link the client with crm_bridge.link_client(); a project made with create_project_from_deal() has one.';
  ELSIF chosen IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('record %s is not offered as target of task %s', target, task_id),
      DETAIL = 'A target is the account of the project''s client, an account of its name that no client is linked with, or a deal of the project.',
      HINT = format('See crm_bridge.task_link_targets(''%s'').', task_id);
  END IF;
  RETURN crm_bridge._make_twin('task_task', 'right', task_id,
           jsonb_build_object(chosen || '_id', target), org);
END
$$;
COMMENT ON FUNCTION crm_bridge.add_task_to_crm(uuid, uuid, bigint) IS
  'adds a task of a project to the CRM, about the account or a deal of the project (R68-R74); a second call returns the same task';
REVOKE ALL ON FUNCTION crm_bridge.add_task_to_crm(uuid, uuid, bigint) FROM PUBLIC;

CREATE VIEW crm_bridge.project_tasks WITH (security_invoker = true) AS
  SELECT t.org_id, t.project_id, p.name AS project, t.id AS task_id, t.key, t.name AS task, s.name AS task_list, m.name AS parent_task,
         t.status, t.is_completed, t.priority, t.start_date, t.end_date, t.completion_percentage,
         l.link_id IS NOT NULL AS in_crm, l.left_id AS crm_task_id,
         CASE WHEN c.deal_id IS NOT NULL THEN 'deal' WHEN c.account_id IS NOT NULL THEN 'account' END AS crm_kind,
         COALESCE(d.deal_name, a.account_name) AS crm_name, now() AS as_of
    FROM crm_bridge.projects_task AS t
    LEFT JOIN crm_bridge.projects_project AS p ON p.org_id = t.org_id AND p.id = t.project_id
    LEFT JOIN crm_bridge.projects_task_list AS s ON s.org_id = t.org_id AND s.id = t.task_list_id
    LEFT JOIN crm_bridge.projects_task AS m ON m.org_id = t.org_id AND m.id = t.parent_task_id
    LEFT JOIN crm_bridge.link AS l ON l.org_id = t.org_id AND l.right_id = t.id AND l.pairing = 'task_task' AND l.state <> 'archived'
    LEFT JOIN crm_bridge.crm_task AS c ON c.org_id = l.org_id AND c.id = l.left_id
    LEFT JOIN crm_bridge.crm_deal AS d ON d.org_id = c.org_id AND d.id = c.deal_id
    LEFT JOIN crm_bridge.crm_account AS a ON a.org_id = c.org_id AND a.id = c.account_id;
COMMENT ON VIEW crm_bridge.project_tasks IS 'the task list of the projects, with the mark of those that are in the CRM (R75) and what they are about there';
COMMENT ON COLUMN crm_bridge.project_tasks.task_id IS 'the task';
COMMENT ON COLUMN crm_bridge.project_tasks.task IS 'its name';
COMMENT ON COLUMN crm_bridge.project_tasks.key IS 'the short key that people say';
COMMENT ON COLUMN crm_bridge.project_tasks.task_list IS 'name of its list';
COMMENT ON COLUMN crm_bridge.project_tasks.parent_task IS 'name of the task that it is a part of';
COMMENT ON COLUMN crm_bridge.project_tasks.is_completed IS 'closed or open';
COMMENT ON COLUMN crm_bridge.project_tasks.priority IS 'none, low, medium or high';
COMMENT ON COLUMN crm_bridge.project_tasks.completion_percentage IS 'percent';
COMMENT ON COLUMN crm_bridge.project_tasks.in_crm IS 'the CRM mark: the task was added to the CRM';
COMMENT ON COLUMN crm_bridge.project_tasks.crm_task_id IS 'its task in the CRM';
COMMENT ON COLUMN crm_bridge.project_tasks.crm_kind IS 'whether it is about a deal or an account there';
COMMENT ON COLUMN crm_bridge.project_tasks.crm_name IS 'the name of that deal or account';
