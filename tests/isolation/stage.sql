-- SPDX-License-Identifier: PostgreSQL
-- What the specs stand on: one organization, a few records that their services know, and views without ids and times.
-- Loaded once into the database of the suite; every permutation begins with CALL stage.set().

CREATE SCHEMA stage;

-- The service has told of a record: it is in its mirror, with an id of ours that sorts as its external id does.
CREATE PROCEDURE stage.told(module text, external_id text, fields jsonb)
LANGUAGE plpgsql
AS $$
DECLARE
  answer record;
BEGIN
  INSERT INTO crm_bridge.shadow (org_id, record_id, module, external_id, state)
  VALUES (1, crm_bridge.new_id(), told.module, told.external_id, 'expected')
  ON CONFLICT ON CONSTRAINT shadow_external_id_unique DO NOTHING;
  SELECT r.* INTO STRICT answer
    FROM crm_bridge.receive(told.module, jsonb_build_array(jsonb_build_object(
           'external_id', told.external_id, 'version', '2024-03-01T09:00:00Z', 'modified_at', '2024-03-01T09:00:00Z',
           'modified_by', 'mira@zylker.example', 'fields', told.fields)), clock_timestamp()) AS r;
  IF answer.outcome <> 'inserted' THEN
    RAISE EXCEPTION 'stage: % % was %: %', module, external_id, answer.outcome, answer.detail;
  END IF;
END
$$;

CREATE PROCEDURE stage.link(pairing text, left_external_id text, right_external_id text)
LANGUAGE sql
AS $$
  INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id)
  SELECT 1, p.pairing, l.record_id, r.record_id
    FROM crm_bridge.pairing AS p
    JOIN crm_bridge.shadow AS l ON l.module = p.left_module AND l.external_id = left_external_id
    JOIN crm_bridge.shadow AS r ON r.module = p.right_module AND r.external_id = right_external_id
   WHERE p.pairing = link.pairing;
$$;

-- The same scene for every permutation, whatever the last one left behind.
CREATE PROCEDURE stage.set()
LANGUAGE plpgsql
AS $$
DECLARE
  emptied record;
BEGIN
  SET LOCAL client_min_messages = warning;
  IF NOT EXISTS (SELECT 1 FROM crm_bridge.organization) THEN
    PERFORM crm_bridge.create_organization(1, 'Zylker');
  END IF;
  -- Without triggers: nothing of this is a change that anybody should hear of.
  PERFORM set_config('session_replication_role', 'replica', true);
  FOR emptied IN SELECT m.module AS name FROM crm_bridge.module AS m
                 UNION ALL
                 SELECT unnest(ARRAY['shadow', 'link', 'reconcile_request', 'delivery', 'lease', 'conflict', 'refusal', 'history',
                                     'command', 'run', 'inbox']) LOOP
    EXECUTE format('DELETE FROM crm_bridge.%I', emptied.name);
  END LOOP;
  PERFORM set_config('session_replication_role', 'origin', true);
  DELETE FROM crm_bridge.merge_policy;
  UPDATE crm_bridge.automation SET enabled = false;
  UPDATE crm_bridge.pairing SET on_delete = 'unlink';
  UPDATE crm_bridge.integration SET state = 'active', stopped_since = NULL, stopped_reason = NULL, stopped_detail = NULL WHERE service = 'zoho_crm';

  UPDATE crm_bridge.integration SET state = 'configuring' WHERE service = 'zoho_projects' AND state = 'off';
  CALL stage.told('projects_portal', 'portal', '{"name": "zylker"}');
  UPDATE crm_bridge.integration
     SET state = 'active', activated_at = now(), stopped_since = NULL, stopped_reason = NULL,
         portal_id = (SELECT p.id FROM crm_bridge.projects_portal AS p)
   WHERE service = 'zoho_projects';

  CALL stage.told('crm_account', 'account', '{"account_name": "Acme"}');
  CALL stage.told('crm_deal', 'deal-1', '{"deal_name": "Routers", "stage": "Qualification", "account_id": "account"}');
  CALL stage.told('crm_deal', 'deal-2', '{"deal_name": "Switches", "stage": "Qualification", "account_id": "account"}');
  CALL stage.told('projects_project', 'project', '{"name": "Rollout", "portal_id": "portal"}');
  -- Two faces of one task, in step.
  CALL stage.told('crm_task', 'task-left', '{"subject": "Order", "status": "Not Started", "priority": "Normal"}');
  CALL stage.told('projects_task', 'task-right',
                  '{"name": "Order", "is_completed": false, "priority": "medium", "project_id": "project", "portal_id": "portal"}');
  CALL stage.link('task_task', 'task-left', 'task-right');
  -- Two tasks that have no other face.
  CALL stage.told('crm_task', 'task-1', '{"subject": "Call", "status": "Not Started"}');
  CALL stage.told('crm_task', 'task-2', '{"subject": "Write", "status": "Not Started"}');
  DELETE FROM crm_bridge.history;

  -- Leases that no slow machine breaks.
  PERFORM crm_bridge.heartbeat(stage.lease('one'), 'worker one', '1 day');
  PERFORM crm_bridge.heartbeat(stage.lease('two'), 'worker two', '1 day');
END
$$;

-- Besides, one thing with three faces: the account, a client, a company in Bigin; phone and website are kept in step.
CREATE PROCEDURE stage.chain(made boolean)
LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE crm_bridge.field_mapping AS m
     SET direction = CASE WHEN made THEN 'both' ELSE 'left_to_right' END, keep_in_step = made
   WHERE m.pairing = 'account_client' AND m.left_field IN ('phone', 'website');
  IF made THEN
    INSERT INTO crm_bridge.integration (org_id, service, state, activated_at) VALUES (1, 'bigin', 'active', now())
    ON CONFLICT DO NOTHING;
    CALL stage.told('projects_client', 'client', '{"name": "Acme", "portal_id": "portal"}');
    CALL stage.told('bigin_company', 'company', '{"account_name": "Acme"}');
    CALL stage.link('account_client', 'account', 'client');
    CALL stage.link('client_company', 'client', 'company');
  END IF;
END
$$;

-- Besides, an administrator, and a trial that ends tomorrow.
CREATE PROCEDURE stage.trial(begun boolean)
LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE crm_bridge.organization SET edition = CASE WHEN begun THEN 'free' ELSE 'enterprise' END;
  UPDATE crm_bridge.integration SET trial_ends_at = CASE WHEN begun THEN now() + interval '1 day' END WHERE service = 'zoho_projects';
  DELETE FROM crm_bridge.notification;
  IF begun THEN
    CALL stage.told('crm_profile', 'chiefs', '{"name": "Administrator"}');
    CALL stage.told('crm_user', 'mira', '{"email": "mira@zylker.example", "status": "active", "profile_id": "chiefs"}');
  END IF;
END
$$;

CREATE FUNCTION stage.lease(worker text) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN CASE worker WHEN 'one' THEN '00000000-0000-0000-0000-000000000001' ELSE '00000000-0000-0000-0000-000000000002' END::uuid;

-- What a worker got, and what it says of it.
CREATE FUNCTION stage.claim(worker text, service text, "limit" integer DEFAULT 10)
RETURNS TABLE (record text, operation text, fields jsonb, attempt integer, in_doubt boolean)
LANGUAGE sql
AS $$
  SELECT COALESCE(c.external_id, c.module), c.operation, c.fields, c.attempt, c.in_doubt
    FROM crm_bridge.claim(claim.service, claim."limit", stage.lease(worker)) AS c
   ORDER BY 1;
$$;

CREATE FUNCTION stage.acknowledge(worker text, record text)
RETURNS TABLE (outcome text)
LANGUAGE sql
AS $$
  SELECT a.outcome
    FROM crm_bridge.shadow AS s,
         crm_bridge.acknowledge(stage.lease(worker), jsonb_build_array(jsonb_build_object(
           'module', s.module, 'record_id', s.record_id, 'external_id', s.external_id, 'version', '2024-03-01T10:00:00Z'))) AS a
   WHERE s.external_id = acknowledge.record;
$$;

CREATE FUNCTION stage.fail(worker text, record text, outcome text)
RETURNS TABLE (state text)
LANGUAGE sql
AS $$
  SELECT f.state
    FROM crm_bridge.shadow AS s,
         crm_bridge.fail(stage.lease(worker), jsonb_build_array(jsonb_build_object(
           'module', s.module, 'record_id', s.record_id, 'outcome', fail.outcome, 'reason', 'invalid_data'))) AS f
   WHERE s.external_id = fail.record;
$$;

-- What the service says of a record: that a field has another value since the second of March, or, without one, that
-- the record is deleted.
CREATE FUNCTION stage.tell(VARIADIC said text[])
RETURNS TABLE (record text, outcome text)
LANGUAGE sql
AS $$
  SELECT r.external_id, r.outcome
    FROM crm_bridge.shadow AS s,
         crm_bridge.receive(s.module,
           CASE WHEN cardinality(said) = 1 THEN jsonb_build_array(jsonb_build_object('external_id', said[1], 'deleted', true))
                ELSE jsonb_build_array(jsonb_build_object(
                  'external_id', said[1], 'version', '2024-03-02T09:00:00Z', 'modified_at', '2024-03-02T09:00:00Z',
                  'modified_by', 'mira@zylker.example', 'fields', jsonb_build_object(said[2], said[3]))) END,
           clock_timestamp()) AS r
   WHERE s.external_id = said[1];
$$;

CREATE FUNCTION stage.id(external_id text) RETURNS uuid LANGUAGE sql STABLE
RETURN (SELECT s.record_id FROM crm_bridge.shadow AS s WHERE s.external_id = id.external_id);

-- One reading of several CRM tasks: each with its subject, a word, since the second of March, and, where said, with our id of another one.
CREATE FUNCTION stage.tell_tasks(records text, subjects text, own_ids text DEFAULT '')
RETURNS TABLE (record text, outcome text)
LANGUAGE sql
AS $$
  SELECT r.external_id, r.outcome
    FROM crm_bridge.receive('crm_task', (
           SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                    'external_id', t.record, 'version', '2024-03-02T09:00:00Z', 'modified_at', '2024-03-02T09:00:00Z', 'record_id', stage.id(t.own_id),
                    'modified_by', 'mira@zylker.example', 'fields', jsonb_build_object('subject', t.subject))))
             FROM unnest(string_to_array(records, ' '), string_to_array(subjects, ' '), string_to_array(own_ids, ' ')) AS t (record, subject, own_id)), clock_timestamp()) AS r
   ORDER BY 1;
$$;

-- Decides the oldest open conflict that waits for it.  Result: what came of it, without ids.
CREATE FUNCTION stage.resolve(decision text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN crm_bridge.resolve_conflict((SELECT c.conflict_id FROM crm_bridge.conflict AS c WHERE c.winner = 'none' AND c.resolved_at IS NULL
                                       ORDER BY c.conflict_id LIMIT 1), decision) ->> 'value';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RETURN 'decided already';
END
$$;

CREATE VIEW stage.faces AS
  SELECT (SELECT t.subject FROM crm_bridge.crm_task AS t WHERE t.external_id = 'task-left') AS subject,
         (SELECT t.name FROM crm_bridge.projects_task AS t WHERE t.external_id = 'task-right') AS name,
         (SELECT t.priority FROM crm_bridge.crm_task AS t WHERE t.external_id = 'task-left') AS left_priority,
         (SELECT t.priority FROM crm_bridge.projects_task AS t WHERE t.external_id = 'task-right') AS right_priority,
         (SELECT l.state FROM crm_bridge.link AS l WHERE l.pairing = 'task_task') AS link;

CREATE VIEW stage.tasks AS
  SELECT t.external_id AS record, t.subject, t.description, t.origin FROM crm_bridge.crm_task AS t ORDER BY t.external_id;

CREATE VIEW stage.requests AS
  SELECT s.external_id AS record, r.operation, r.fields, r.old
    FROM crm_bridge.reconcile_request AS r
    LEFT JOIN crm_bridge.shadow AS s ON s.org_id = r.org_id AND s.record_id = r.record_id
   ORDER BY s.external_id, r.operation, r.request_id;

CREATE VIEW stage.conflicts AS
  SELECT s.external_id AS record, c.field, c.base, c.left_value, c.right_value, c.winner, c.reason
    FROM crm_bridge.conflict AS c
    LEFT JOIN crm_bridge.shadow AS s ON s.org_id = c.org_id AND s.record_id = c.record_id
   ORDER BY s.external_id, c.field, c.conflict_id;

CREATE VIEW stage.deliveries AS
  SELECT COALESCE(s.external_id, d.module) AS record, d.operation, d.state, d.fields, d.sent, d.in_doubt
    FROM crm_bridge.delivery AS d
    LEFT JOIN crm_bridge.shadow AS s ON s.org_id = d.org_id AND s.record_id = d.record_id
   ORDER BY 1, d.record_id;

CREATE VIEW stage.events AS
  SELECT COALESCE(s.external_id, h.module) AS record, h.operation, h.origin, h.old
    FROM crm_bridge.history AS h
    LEFT JOIN crm_bridge.shadow AS s ON s.org_id = h.org_id AND s.record_id = h.record_id
   ORDER BY h.at, h.event_id;
