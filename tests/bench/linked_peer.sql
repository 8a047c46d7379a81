-- SPDX-License-Identifier: PostgreSQL
-- The sides of linked_bench.sh.  "bare" is two tables without triggers.  "plpgsql" is what somebody would write who wants the
-- outcome of crm_bridge without it: two linked tables of tasks, row triggers that stamp, log old values, note what has to be
-- sent, refuse what a strict project or a closed parent forbids, and bring the six fields to the other table, with a
-- three-way merge, the newer edit winning and the loser kept.  The mapping is written out in code, which is the fastest
-- that plpgsql can do.
CREATE SCHEMA peer;

CREATE TABLE peer.bare_crm_task (LIKE crm_bridge.crm_task INCLUDING ALL);
CREATE TABLE peer.bare_projects_task (LIKE crm_bridge.projects_task INCLUDING ALL);

CREATE TABLE peer.crm_task (LIKE crm_bridge.crm_task INCLUDING ALL);
CREATE TABLE peer.projects_task (LIKE crm_bridge.projects_task INCLUDING ALL);
CREATE TABLE peer.projects_project (LIKE crm_bridge.projects_project INCLUDING ALL);
CREATE TABLE peer.link (LIKE crm_bridge.link INCLUDING ALL);
CREATE TABLE peer.conflict (LIKE crm_bridge.conflict INCLUDING ALL);
CREATE TABLE peer.delivery (LIKE crm_bridge.delivery INCLUDING ALL);
CREATE TABLE peer.log (
  org_id     bigint      NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  event_id   uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  record_id  uuid        NOT NULL,
  module     text        NOT NULL,
  operation  text        NOT NULL,
  origin     text        NOT NULL,
  actor      text        NOT NULL,
  xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
  old        jsonb,
  PRIMARY KEY (org_id, at, event_id)
);
CREATE INDEX ON peer.log (org_id, record_id, at);

CREATE FUNCTION peer.stamp() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF (NEW.org_id, NEW.id) IS DISTINCT FROM (OLD.org_id, OLD.id) OR NEW.external_id IS DISTINCT FROM OLD.external_id THEN
    RAISE EXCEPTION 'a record keeps its keys';
  END IF;
  NEW.modified_at := now();
  NEW.modified_by := session_user;
  NEW.origin := CASE WHEN pg_trigger_depth() > 1 THEN 'bridge' ELSE 'app' END;
  RETURN NEW;
END
$$;

-- Old values of the columns that changed, and the record is noted for its service.
CREATE FUNCTION peer.capture(module text, service text, old jsonb, new jsonb) RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
  changed jsonb := (SELECT jsonb_object_agg(o.key, o.value) FROM jsonb_each(old) AS o
                     WHERE new -> o.key IS DISTINCT FROM o.value AND o.key NOT IN ('modified_at', 'modified_by', 'origin'));
BEGIN
  IF changed IS NULL THEN
    RETURN NULL;
  END IF;
  INSERT INTO peer.log (org_id, record_id, module, operation, origin, actor, old)
  VALUES ((new ->> 'org_id')::bigint, (new ->> 'id')::uuid, module, 'update', new ->> 'origin', session_user, changed);
  INSERT INTO peer.delivery AS d (org_id, record_id, module, service, fields)
  VALUES ((new ->> 'org_id')::bigint, (new ->> 'id')::uuid, module, service, ARRAY(SELECT jsonb_object_keys(changed)))
  ON CONFLICT (org_id, record_id) DO UPDATE
    SET fields = ARRAY(SELECT DISTINCT f FROM unnest(d.fields || EXCLUDED.fields) AS f), generation = d.generation + 1
    WHERE d.state = 'in_flight' OR NOT d.fields @> EXCLUDED.fields;
  RETURN changed;
END
$$;

CREATE FUNCTION peer.lose(link peer.link, field text, other_field text, base jsonb, l jsonb, r jsonb, winner text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  INSERT INTO peer.conflict (org_id, module, record_id, link_id, field, other_field, base, left_value, right_value, winner)
  VALUES (link.org_id, 'crm_task', link.left_id, link.link_id, field, other_field, base, l, r, winner);
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
  PERFORM peer.lose(link, field, other_field, base, NULL, twin, CASE WHEN at >= twin_at THEN side ELSE 'other' END);
  RETURN at >= twin_at;
END
$$;

CREATE FUNCTION peer.left_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  changed jsonb := peer.capture('crm_task', 'zoho_crm', to_jsonb(OLD), to_jsonb(NEW));
  link peer.link;
  twin peer.projects_task;
  before peer.projects_task;
  project peer.projects_project;
  parent_closed boolean;
BEGIN
  IF changed IS NULL OR pg_trigger_depth() > 1 THEN
    RETURN NULL;
  END IF;
  SELECT l.* INTO link FROM peer.link AS l
   WHERE l.org_id = NEW.org_id AND l.left_id = NEW.id AND l.pairing = 'task_task' AND l.state = 'active' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT t.* INTO twin FROM peer.projects_task AS t WHERE t.org_id = NEW.org_id AND t.id = link.right_id FOR NO KEY UPDATE;
  before := twin;
  IF changed ? 'subject' AND peer.carries(link, 'left', 'subject', 'name', link.right_base -> 'name', to_jsonb(twin.name), NEW.modified_at, twin.modified_at) THEN
    twin.name := NEW.subject;
  END IF;
  IF changed ? 'description'
     AND peer.carries(link, 'left', 'description', 'description', link.right_base -> 'description', to_jsonb(twin.description), NEW.modified_at, twin.modified_at) THEN
    twin.description := replace(replace(replace(replace(NEW.description, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), E'\n', '<br>');
  END IF;
  IF changed ? 'due_date' AND peer.carries(link, 'left', 'due_date', 'end_date', link.right_base -> 'end_date', to_jsonb(twin.end_date), NEW.modified_at, twin.modified_at) THEN
    twin.end_date := (NEW.due_date + COALESCE((twin.end_date AT TIME ZONE 'Europe/Berlin')::time, '00:00')) AT TIME ZONE 'Europe/Berlin';
  END IF;
  IF changed ? 'priority' AND peer.carries(link, 'left', 'priority', 'priority', link.right_base -> 'priority', to_jsonb(twin.priority), NEW.modified_at, twin.modified_at) THEN
    twin.priority := CASE WHEN NEW.priority IN ('Highest', 'High') THEN 'high' WHEN NEW.priority = 'Normal' THEN 'medium'
                          WHEN NEW.priority IN ('Low', 'Lowest') THEN 'low' ELSE 'none' END;
  END IF;
  IF changed ? 'status' AND peer.carries(link, 'left', 'status', 'is_completed', link.right_base -> 'is_completed', to_jsonb(twin.is_completed), NEW.modified_at, twin.modified_at) THEN
    twin.is_completed := NEW.status = 'Completed';
  END IF;
  IF changed ? 'owner_id' AND peer.carries(link, 'left', 'owner_id', 'owner_ids', link.right_base -> 'owner_ids', to_jsonb(twin.owner_ids), NEW.modified_at, twin.modified_at) THEN
    twin.owner_ids := ARRAY(SELECT p.id FROM crm_bridge.crm_user AS c JOIN crm_bridge.projects_user AS p ON p.org_id = c.org_id AND lower(p.email) = lower(c.email)
                             WHERE c.org_id = NEW.org_id AND c.id = NEW.owner_id) || twin.owner_ids[2:];
  END IF;
  IF twin.end_date IS DISTINCT FROM before.end_date THEN
    SELECT p.* INTO project FROM peer.projects_project AS p WHERE p.org_id = twin.org_id AND p.id = twin.project_id;
    IF project.is_strict AND twin.end_date::date > project.end_date THEN
      RAISE EXCEPTION 'the due date is beyond the schedule of its project';
    END IF;
  END IF;
  IF before.is_completed AND NOT twin.is_completed THEN
    SELECT t.is_completed INTO parent_closed FROM peer.projects_task AS t WHERE t.org_id = twin.org_id AND t.id = twin.parent_task_id;
    IF parent_closed THEN
      RAISE EXCEPTION 'the parent task is closed';
    END IF;
  END IF;
  IF twin IS DISTINCT FROM before THEN
    UPDATE peer.projects_task AS t
       SET name = twin.name, description = twin.description, end_date = twin.end_date, priority = twin.priority, is_completed = twin.is_completed, owner_ids = twin.owner_ids
     WHERE t.org_id = twin.org_id AND t.id = twin.id;
  END IF;
  IF link.left_base ?| ARRAY(SELECT jsonb_object_keys(changed)) THEN
    UPDATE peer.link AS l SET left_base = '{}', right_base = '{}' WHERE l.org_id = link.org_id AND l.link_id = link.link_id;
  END IF;
  RETURN NULL;
END
$$;

-- The way back: only what the benchmark's edits of the CRM need of it, which is to be logged and noted.
CREATE FUNCTION peer.right_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM peer.capture('projects_task', 'zoho_projects', to_jsonb(OLD), to_jsonb(NEW));
  RETURN NULL;
END
$$;

CREATE TRIGGER stamp BEFORE UPDATE ON peer.crm_task FOR EACH ROW EXECUTE FUNCTION peer.stamp();
CREATE TRIGGER stamp BEFORE UPDATE ON peer.projects_task FOR EACH ROW EXECUTE FUNCTION peer.stamp();
CREATE TRIGGER carry AFTER UPDATE ON peer.crm_task FOR EACH ROW EXECUTE FUNCTION peer.left_changed();
CREATE TRIGGER carry AFTER UPDATE ON peer.projects_task FOR EACH ROW EXECUTE FUNCTION peer.right_changed();
