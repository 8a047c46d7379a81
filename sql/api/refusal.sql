-- Changes that Projects refuses (R80-R86): telling the person who made them.

-- Tells the person whose change of a task in the CRM was refused.  Arguments: the link and its two tasks; reason strict_schedule
-- or parent_closed; the values that both sides agree on and that was refused, in the CRM's words; limit, the nearest day that is
-- possible; actor, whom the CRM names.  One change is told once, however often it is processed: the cause is made of what was changed.
CREATE OR REPLACE FUNCTION crm_bridge._tell_refused(
  link_id    uuid,
  crm_task   uuid,
  task       uuid,
  reason     text,
  agreed     jsonb,
  refused    jsonb,
  limit_day  text,
  actor      text,
  org_id     bigint
)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  changed crm_bridge.crm_task;
  name text;
  project text;
  parent text;
BEGIN
  SELECT t.* INTO changed FROM crm_bridge.crm_task AS t WHERE t.org_id = _tell_refused.org_id AND t.id = _tell_refused.crm_task;
  -- Its name as both sides have it: the CRM's may have been refused too.
  SELECT t.name, p.name, m.name INTO name, project, parent
    FROM crm_bridge.projects_task AS t
    LEFT JOIN crm_bridge.projects_project AS p ON p.org_id = t.org_id AND p.id = t.project_id
    LEFT JOIN crm_bridge.projects_task AS m ON m.org_id = t.org_id AND m.id = t.parent_task_id
   WHERE t.org_id = _tell_refused.org_id AND t.id = _tell_refused.task;
  RETURN crm_bridge._notify(_tell_refused.org_id, crm_bridge._address_of_actor(actor, changed.owner_id, _tell_refused.org_id),
    CASE reason WHEN 'strict_schedule' THEN 'due_date_refused' ELSE 'status_refused' END,
    jsonb_build_object('task', COALESCE(name, changed.subject), 'project', project, 'parent', parent, 'old', agreed, 'new', refused, 'limit', limit_day),
    cause => md5(concat_ws('|', _tell_refused.link_id, reason, refused, changed.modified_at))::uuid);
END
$$;
COMMENT ON FUNCTION crm_bridge._tell_refused(uuid, uuid, uuid, text, jsonb, jsonb, text, text, bigint) IS 'tells the person whose change of a task was refused (R81, R84)';
REVOKE ALL ON FUNCTION crm_bridge._tell_refused(uuid, uuid, uuid, text, jsonb, jsonb, text, text, bigint) FROM PUBLIC;

-- The e-mail address of whoever a service named: itself, that of the one user of that name, or else of the record's owner.
CREATE OR REPLACE FUNCTION crm_bridge._address_of_actor(actor text, owner_id uuid, org_id bigint)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  addresses text[];
BEGIN
  IF crm_bridge._is_address(btrim(actor)) THEN
    RETURN btrim(actor);
  END IF;
  addresses := ARRAY(SELECT u.email FROM crm_bridge.crm_user AS u
                      WHERE u.org_id = _address_of_actor.org_id AND lower(u.full_name) = lower(btrim(actor)) AND u.email <> '' LIMIT 2);
  IF cardinality(addresses) = 1 THEN
    RETURN addresses[1];
  END IF;
  RETURN (SELECT u.email FROM crm_bridge.crm_user AS u WHERE u.org_id = _address_of_actor.org_id AND u.id = _address_of_actor.owner_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._address_of_actor(text, uuid, bigint) IS 'the e-mail address of whoever a service named as the writer';
REVOKE ALL ON FUNCTION crm_bridge._address_of_actor(text, uuid, bigint) FROM PUBLIC;
