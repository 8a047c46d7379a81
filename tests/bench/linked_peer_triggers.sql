-- SPDX-License-Identifier: PostgreSQL
-- What the plpgsql side of linked_bench.sh does for a written task: read the head of linked_peer.sql first.

-- Once a statement; the rows' triggers find in settings what it learned.
CREATE FUNCTION peer.admit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  person record;
BEGIN
  SELECT p.email, p.is_active AND p.may_write AND (TG_TABLE_NAME = 'crm_task' OR p.may_edit) AS admitted, o.time_zone, o.rule_mode INTO person
    FROM peer.person AS p JOIN peer.organization AS o ON o.org_id = p.org_id WHERE p.role = session_user;
  IF person.admitted IS NOT TRUE THEN
    RAISE EXCEPTION '"%" may not edit a task', session_user USING ERRCODE = '42501';
  END IF;
  PERFORM set_config('peer.person', person.email, true), set_config('peer.time_zone', person.time_zone, true),
    set_config('peer.rule_mode', person.rule_mode, true);
  RETURN NULL;
END
$$;

CREATE FUNCTION peer.stamp_crm_task() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF NEW.org_id <> OLD.org_id OR NEW.id <> OLD.id OR NEW.external_id IS DISTINCT FROM OLD.external_id THEN
    RAISE EXCEPTION 'a record keeps its keys';
  END IF;
  IF NEW.closed_at IS DISTINCT FROM OLD.closed_at THEN
    RAISE EXCEPTION 'the service computes this field';
  END IF;
  IF jsonb_typeof(NEW.custom_fields) <> 'object' THEN
    RAISE EXCEPTION 'custom_fields must be a JSON object';
  END IF;
  IF (length(NEW.subject) > 255 OR length(NEW.description) > 32000) AND current_setting('peer.rule_mode') = 'reject' THEN
    RAISE EXCEPTION 'the new value is too long';
  END IF;
  NEW.created_at := OLD.created_at;
  NEW.modified_at := now();
  NEW.modified_by := current_setting('peer.person');
  NEW.origin := CASE WHEN pg_trigger_depth() > 1 THEN 'bridge' ELSE 'app' END;
  RETURN NEW;
END
$$;

CREATE FUNCTION peer.stamp_projects_task() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF NEW.org_id <> OLD.org_id OR NEW.id <> OLD.id OR NEW.external_id IS DISTINCT FROM OLD.external_id THEN
    RAISE EXCEPTION 'a record keeps its keys';
  END IF;
  IF pg_trigger_depth() = 1 AND (NEW.key IS DISTINCT FROM OLD.key OR NEW.status IS DISTINCT FROM OLD.status) THEN
    RAISE EXCEPTION 'the service computes this field';
  END IF;
  IF jsonb_typeof(NEW.custom_fields) <> 'object' THEN
    RAISE EXCEPTION 'custom_fields must be a JSON object';
  END IF;
  NEW.created_at := OLD.created_at;
  NEW.modified_at := now();
  NEW.modified_by := current_setting('peer.person');
  NEW.origin := CASE WHEN pg_trigger_depth() > 1 THEN 'bridge' ELSE 'app' END;
  RETURN NEW;
END
$$;

-- What changed goes to the log, and the record is noted for its service.
CREATE FUNCTION peer.capture(org bigint, record uuid, module text, service text, origin text, changed jsonb, names text[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  complete boolean;
BEGIN
  INSERT INTO peer.log (org_id, record_id, module, operation, origin, actor, old)
  VALUES (org, record, module, 'update', origin, current_setting('peer.person'), changed);
  SELECT d.fields @> names AND d.state <> 'in_flight' AND d.operation = 'write' AND (NOT d.stopped OR d.state = 'held') INTO complete
    FROM peer.delivery AS d WHERE d.org_id = org AND d.record_id = record FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    INSERT INTO peer.delivery AS d (org_id, record_id, module, service, fields) VALUES (org, record, module, service, names)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      INSERT INTO peer.reconcile_request (org_id, record_id, module, operation, fields) VALUES (org, record, module, 'deliver', names);
    END IF;
  ELSIF NOT complete THEN
    UPDATE peer.delivery AS d
       SET fields = ARRAY(SELECT DISTINCT f FROM unnest(d.fields || names) AS f), operation = 'write',
           generation = d.generation + (d.state = 'in_flight')::int,
           state = CASE WHEN d.stopped AND d.state <> 'held' THEN 'pending' ELSE d.state END,
           stopped = d.state = 'held',
           waits_for = NULL,
           queued_at = CASE WHEN d.stopped AND d.state <> 'held' THEN now() ELSE d.queued_at END
     WHERE d.org_id = org AND d.record_id = record;
  END IF;
  -- What is set in a transaction that rolls back is forgotten: the bell is heard at the next commit.
  IF statement_timestamp() > COALESCE(NULLIF(current_setting('peer.rung_' || service, true), ''), '-infinity')::timestamptz + interval '100 ms' THEN
    PERFORM pg_notify('peer', 'delivery ' || service), set_config('peer.rung_' || service, statement_timestamp()::text, false);
  END IF;
END
$$;

CREATE FUNCTION peer.lose(link peer.link, field text, other_field text, base jsonb, l jsonb, r jsonb, winner text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  INSERT INTO peer.conflict (org_id, module, record_id, link_id, field, other_field, base, left_value, right_value, winner, reason)
  VALUES (link.org_id, 'crm_task', link.left_id, link.link_id, field, other_field, base, l, r, winner, 'newest');
END
$$;

-- Whether the side that changed just now may write a field of the other: yes, unless that one has left the base too and is newer.
CREATE FUNCTION peer.carries(link peer.link, side text, field text, other_field text, base jsonb, twin jsonb, at timestamptz, twin_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  IF base IS NULL OR base = twin THEN
    RETURN true;
  END IF;
  PERFORM peer.lose(link, field, other_field, base, NULL, twin, CASE WHEN at >= twin_at THEN side ELSE 'right' END);
  RETURN at >= twin_at;
END
$$;

CREATE FUNCTION peer.left_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  changed jsonb := '{}';
  names text[] := '{}';
  pair record;
  link peer.link;
  twin peer.projects_task;
  before peer.projects_task;
  zone text;
  parent_closed boolean;
BEGIN
  IF NEW.subject IS DISTINCT FROM OLD.subject THEN
    changed := changed || jsonb_build_object('subject', OLD.subject);
    names := names || 'subject'::text;
  END IF;
  IF NEW.description IS DISTINCT FROM OLD.description THEN
    changed := changed || jsonb_build_object('description', OLD.description);
    names := names || 'description'::text;
  END IF;
  IF NEW.due_date IS DISTINCT FROM OLD.due_date THEN
    changed := changed || jsonb_build_object('due_date', OLD.due_date);
    names := names || 'due_date'::text;
  END IF;
  IF NEW.status IS DISTINCT FROM OLD.status THEN
    changed := changed || jsonb_build_object('status', OLD.status);
    names := names || 'status'::text;
  END IF;
  IF NEW.priority IS DISTINCT FROM OLD.priority THEN
    changed := changed || jsonb_build_object('priority', OLD.priority);
    names := names || 'priority'::text;
  END IF;
  IF NEW.owner_id IS DISTINCT FROM OLD.owner_id THEN
    changed := changed || jsonb_build_object('owner_id', OLD.owner_id);
    names := names || 'owner_id'::text;
  END IF;
  IF NEW.account_id IS DISTINCT FROM OLD.account_id THEN
    changed := changed || jsonb_build_object('account_id', OLD.account_id);
    names := names || 'account_id'::text;
  END IF;
  IF NEW.deal_id IS DISTINCT FROM OLD.deal_id THEN
    changed := changed || jsonb_build_object('deal_id', OLD.deal_id);
    names := names || 'deal_id'::text;
  END IF;
  IF NEW.lead_id IS DISTINCT FROM OLD.lead_id THEN
    changed := changed || jsonb_build_object('lead_id', OLD.lead_id);
    names := names || 'lead_id'::text;
  END IF;
  IF NEW.contact_id IS DISTINCT FROM OLD.contact_id THEN
    changed := changed || jsonb_build_object('contact_id', OLD.contact_id);
    names := names || 'contact_id'::text;
  END IF;
  IF NEW.custom_fields IS DISTINCT FROM OLD.custom_fields THEN
    changed := changed || jsonb_build_object('custom_fields', OLD.custom_fields);
    names := names || 'custom_fields'::text;
  END IF;
  PERFORM peer.capture(NEW.org_id, NEW.id, 'crm_task', 'zoho_crm', NEW.origin, changed, names);
  IF pg_trigger_depth() > 1 THEN
    RETURN NULL;
  END IF;
  SELECT l AS link, t AS twin, p.is_strict, p.start_date, p.end_date,
         EXISTS (SELECT 1 FROM peer.reconcile_request AS r WHERE r.org_id = l.org_id AND r.link_id = l.link_id) AS requested
    INTO pair
    FROM peer.link AS l
    JOIN peer.projects_task AS t ON t.org_id = l.org_id AND t.id = l.right_id
    LEFT JOIN peer.projects_project AS p ON p.org_id = t.org_id AND p.id = t.project_id
   WHERE l.org_id = NEW.org_id AND l.left_id = NEW.id AND l.pairing = 'task_task' AND l.state = 'active'
     FOR NO KEY UPDATE OF l, t SKIP LOCKED;
  IF NOT FOUND OR pair.requested THEN
    INSERT INTO peer.reconcile_request (org_id, module, operation, record_id, link_id, old, fields)
    SELECT l.org_id, 'crm_task', 'propagate', l.left_id, l.link_id, changed, names
      FROM peer.link AS l WHERE l.org_id = NEW.org_id AND l.left_id = NEW.id AND l.pairing = 'task_task' AND l.state = 'active';
    IF FOUND THEN
      PERFORM pg_notify('peer', 'reconcile');
    END IF;
    RETURN NULL;
  END IF;
  link := pair.link;
  twin := pair.twin;
  before := twin;
  zone := current_setting('peer.time_zone');
  -- Where the faces are in step nothing but the new value is looked at.
  IF NEW.subject IS DISTINCT FROM OLD.subject AND (link.right_base = '{}'
     OR peer.carries(link, 'left', 'subject', 'name', link.right_base -> 'name', to_jsonb(twin.name), NEW.modified_at, twin.modified_at)) THEN
    twin.name := NEW.subject;
  END IF;
  IF NEW.description IS DISTINCT FROM OLD.description AND (link.right_base = '{}'
     OR peer.carries(link, 'left', 'description', 'description', link.right_base -> 'description', to_jsonb(twin.description), NEW.modified_at, twin.modified_at)) THEN
    twin.description := replace(replace(replace(replace(NEW.description, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), E'\n', '<br>');
  END IF;
  IF NEW.due_date IS DISTINCT FROM OLD.due_date AND (link.right_base = '{}'
     OR peer.carries(link, 'left', 'due_date', 'end_date', link.right_base -> 'end_date', to_jsonb(twin.end_date), NEW.modified_at, twin.modified_at)) THEN
    twin.end_date := (NEW.due_date + COALESCE((twin.end_date AT TIME ZONE zone)::time, '00:00')) AT TIME ZONE zone;
  END IF;
  IF NEW.priority IS DISTINCT FROM OLD.priority AND (link.right_base = '{}'
     OR peer.carries(link, 'left', 'priority', 'priority', link.right_base -> 'priority', to_jsonb(twin.priority), NEW.modified_at, twin.modified_at)) THEN
    twin.priority := CASE WHEN NEW.priority IN ('Highest', 'High') THEN 'high' WHEN NEW.priority = 'Normal' THEN 'medium'
                          WHEN NEW.priority IN ('Low', 'Lowest') THEN 'low' ELSE 'none' END;
  END IF;
  IF NEW.status IS DISTINCT FROM OLD.status AND (link.right_base = '{}'
     OR peer.carries(link, 'left', 'status', 'is_completed', link.right_base -> 'is_completed', to_jsonb(twin.is_completed), NEW.modified_at, twin.modified_at)) THEN
    twin.is_completed := NEW.status = 'Completed';
  END IF;
  IF NEW.owner_id IS DISTINCT FROM OLD.owner_id AND (link.right_base = '{}'
     OR peer.carries(link, 'left', 'owner_id', 'owner_ids', link.right_base -> 'owner_ids', to_jsonb(twin.owner_ids), NEW.modified_at, twin.modified_at)) THEN
    twin.owner_ids := ARRAY(SELECT p.id FROM crm_bridge.crm_user AS c JOIN crm_bridge.projects_user AS p ON p.org_id = c.org_id AND lower(p.email) = lower(c.email)
                             WHERE c.org_id = NEW.org_id AND c.id = NEW.owner_id) || twin.owner_ids[2:];
  END IF;
  IF current_setting('peer.rule_mode') = 'reject' THEN
    IF twin.end_date IS DISTINCT FROM before.end_date AND pair.is_strict
       AND (twin.end_date AT TIME ZONE zone)::date NOT BETWEEN pair.start_date AND pair.end_date THEN
      RAISE EXCEPTION 'the due date is beyond the schedule of its project';
    END IF;
    IF before.is_completed AND NOT twin.is_completed THEN
      SELECT t.is_completed INTO parent_closed FROM peer.projects_task AS t WHERE t.org_id = twin.org_id AND t.id = twin.parent_task_id;
      IF parent_closed THEN
        RAISE EXCEPTION 'the parent task is closed';
      END IF;
    END IF;
  END IF;
  IF twin IS DISTINCT FROM before THEN
    UPDATE peer.projects_task AS t
       SET name = twin.name, description = twin.description, end_date = twin.end_date, priority = twin.priority, is_completed = twin.is_completed, owner_ids = twin.owner_ids
     WHERE t.org_id = twin.org_id AND t.id = twin.id;
  END IF;
  IF link.left_base <> '{}' AND link.left_base ?| names THEN
    UPDATE peer.link AS l SET left_base = '{}', right_base = '{}' WHERE l.org_id = link.org_id AND l.link_id = link.link_id;
  END IF;
  RETURN NULL;
END
$$;

-- The way back: only what the benchmark's edits of the CRM need of it, which is to be logged and noted.
CREATE FUNCTION peer.right_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  changed jsonb := '{}';
  names text[] := '{}';
BEGIN
  IF NEW.name IS DISTINCT FROM OLD.name THEN
    changed := changed || jsonb_build_object('name', OLD.name);
    names := names || 'name'::text;
  END IF;
  IF NEW.description IS DISTINCT FROM OLD.description THEN
    changed := changed || jsonb_build_object('description', OLD.description);
    names := names || 'description'::text;
  END IF;
  IF NEW.start_date IS DISTINCT FROM OLD.start_date THEN
    changed := changed || jsonb_build_object('start_date', OLD.start_date);
    names := names || 'start_date'::text;
  END IF;
  IF NEW.end_date IS DISTINCT FROM OLD.end_date THEN
    changed := changed || jsonb_build_object('end_date', OLD.end_date);
    names := names || 'end_date'::text;
  END IF;
  IF NEW.priority IS DISTINCT FROM OLD.priority THEN
    changed := changed || jsonb_build_object('priority', OLD.priority);
    names := names || 'priority'::text;
  END IF;
  IF NEW.is_completed IS DISTINCT FROM OLD.is_completed THEN
    changed := changed || jsonb_build_object('is_completed', OLD.is_completed);
    names := names || 'is_completed'::text;
  END IF;
  IF NEW.completion_percentage IS DISTINCT FROM OLD.completion_percentage THEN
    changed := changed || jsonb_build_object('completion_percentage', OLD.completion_percentage);
    names := names || 'completion_percentage'::text;
  END IF;
  IF NEW.owner_ids IS DISTINCT FROM OLD.owner_ids THEN
    changed := changed || jsonb_build_object('owner_ids', OLD.owner_ids);
    names := names || 'owner_ids'::text;
  END IF;
  IF NEW.parent_task_id IS DISTINCT FROM OLD.parent_task_id THEN
    changed := changed || jsonb_build_object('parent_task_id', OLD.parent_task_id);
    names := names || 'parent_task_id'::text;
  END IF;
  IF NEW.task_list_id IS DISTINCT FROM OLD.task_list_id THEN
    changed := changed || jsonb_build_object('task_list_id', OLD.task_list_id);
    names := names || 'task_list_id'::text;
  END IF;
  IF NEW.project_id IS DISTINCT FROM OLD.project_id THEN
    changed := changed || jsonb_build_object('project_id', OLD.project_id);
    names := names || 'project_id'::text;
  END IF;
  IF NEW.portal_id IS DISTINCT FROM OLD.portal_id THEN
    changed := changed || jsonb_build_object('portal_id', OLD.portal_id);
    names := names || 'portal_id'::text;
  END IF;
  IF NEW.custom_fields IS DISTINCT FROM OLD.custom_fields THEN
    changed := changed || jsonb_build_object('custom_fields', OLD.custom_fields);
    names := names || 'custom_fields'::text;
  END IF;
  PERFORM peer.capture(NEW.org_id, NEW.id, 'projects_task', 'zoho_projects', NEW.origin, changed, names);
  RETURN NULL;
END
$$;

-- Asked before the functions are called: whether a person is writing, and whether anything changed.
CREATE TRIGGER admit BEFORE UPDATE ON peer.crm_task FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION peer.admit();
CREATE TRIGGER admit BEFORE UPDATE ON peer.projects_task FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION peer.admit();
CREATE TRIGGER stamp BEFORE UPDATE ON peer.crm_task FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION peer.stamp_crm_task();
CREATE TRIGGER stamp BEFORE UPDATE ON peer.projects_task FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION peer.stamp_projects_task();
CREATE TRIGGER carry AFTER UPDATE ON peer.crm_task FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION peer.left_changed();
CREATE TRIGGER carry AFTER UPDATE ON peer.projects_task FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION peer.right_changed();
