-- Tasks of projects in the CRM (R68-R76).

-- Adds a task of a project to the CRM (R69, R74): its twin, linked, about the deal or the account given.
-- Arguments: the task's id; target, the id of an account or of a deal of the project.  A task that is in the CRM already
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
  task crm_bridge.projects_task;
  twin uuid;
  client uuid;
  account uuid;
  is_deal boolean;
BEGIN
  PERFORM crm_bridge._demand_permission('view', org), crm_bridge._demand_permission('edit', org);
  SELECT * INTO task FROM crm_bridge.projects_task AS t WHERE t.org_id = org AND t.id = task_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('task %s does not exist', task_id),
      HINT = 'Give the id of a row of crm_bridge.projects_task.';
  END IF;
  SELECT l.left_id INTO twin FROM crm_bridge.link AS l
   WHERE l.org_id = org AND l.right_id = task_id AND l.pairing = 'task_task' AND l.state <> 'archived';
  IF FOUND THEN
    RETURN twin;
  END IF;
  SELECT p.client_id INTO client FROM crm_bridge.projects_project AS p WHERE p.org_id = org AND p.id = task.project_id;
  SELECT l.left_id INTO account FROM crm_bridge.link AS l
   WHERE l.org_id = org AND l.right_id = client AND l.pairing = 'account_client' AND l.state <> 'archived';
  is_deal := EXISTS (SELECT 1 FROM crm_bridge.link AS l
                      WHERE l.org_id = org AND l.left_id = target AND l.right_id = task.project_id
                        AND l.pairing = 'deal_project' AND l.state <> 'archived');
  IF account IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('task %s cannot be added to the CRM', task_id),
      DETAIL = 'The client of its project is not linked with a CRM account.',
      HINT = 'A project made with create_project_from_deal() has one.';
  ELSIF NOT is_deal AND target IS DISTINCT FROM account THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('record %s is not offered as target of task %s', target, task_id),
      DETAIL = 'A target is the account of the project''s client or a deal of the project.';
  END IF;
  RETURN crm_bridge._make_twin('task_task', 'right', task_id,
           jsonb_build_object(CASE WHEN is_deal THEN 'deal_id' ELSE 'account_id' END, target), org);
END
$$;
COMMENT ON FUNCTION crm_bridge.add_task_to_crm(uuid, uuid, bigint) IS
  'adds a task of a project to the CRM, about the account or a deal of the project (R68-R74); a second call returns the same task';
REVOKE ALL ON FUNCTION crm_bridge.add_task_to_crm(uuid, uuid, bigint) FROM PUBLIC;
