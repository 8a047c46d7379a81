-- Conflicts as a person reads them (D1, B2).

-- What a record is called, for all that show records of any module.
CREATE VIEW crm_bridge.record_name WITH (security_invoker = true) AS
            SELECT t.org_id, 'crm_user' AS module, t.id AS record_id, COALESCE(t.full_name, t.email) AS name FROM crm_bridge.crm_user AS t
  UNION ALL SELECT t.org_id, 'crm_account', t.id, t.account_name FROM crm_bridge.crm_account AS t
  UNION ALL SELECT t.org_id, 'crm_contact', t.id, COALESCE(t.last_name, t.email) FROM crm_bridge.crm_contact AS t
  UNION ALL SELECT t.org_id, 'crm_lead', t.id, COALESCE(t.last_name, t.email) FROM crm_bridge.crm_lead AS t
  UNION ALL SELECT t.org_id, 'crm_deal', t.id, t.deal_name FROM crm_bridge.crm_deal AS t
  UNION ALL SELECT t.org_id, 'crm_task', t.id, t.subject FROM crm_bridge.crm_task AS t
  UNION ALL SELECT t.org_id, 'crm_note', t.id, COALESCE(t.title, left(t.content, 60)) FROM crm_bridge.crm_note AS t
  UNION ALL SELECT t.org_id, 'projects_portal', t.id, t.name FROM crm_bridge.projects_portal AS t
  UNION ALL SELECT t.org_id, 'projects_user', t.id, COALESCE(t.full_name, t.email) FROM crm_bridge.projects_user AS t
  UNION ALL SELECT t.org_id, 'projects_client', t.id, t.name FROM crm_bridge.projects_client AS t
  UNION ALL SELECT t.org_id, 'projects_client_user', t.id, COALESCE(t.full_name, t.last_name, t.email) FROM crm_bridge.projects_client_user AS t
  UNION ALL SELECT t.org_id, 'projects_project', t.id, t.name FROM crm_bridge.projects_project AS t
  UNION ALL SELECT t.org_id, 'projects_task_list', t.id, t.name FROM crm_bridge.projects_task_list AS t
  UNION ALL SELECT t.org_id, 'projects_task', t.id, t.name FROM crm_bridge.projects_task AS t
  UNION ALL SELECT t.org_id, 'projects_comment', t.id, left(t.content, 60) FROM crm_bridge.projects_comment AS t
  UNION ALL SELECT t.org_id, 'bigin_company', t.id, t.account_name FROM crm_bridge.bigin_company AS t
  UNION ALL SELECT t.org_id, 'bigin_contact', t.id, COALESCE(t.last_name, t.email) FROM crm_bridge.bigin_contact AS t;
COMMENT ON VIEW crm_bridge.record_name IS 'what each record is called; ask by module and record';
COMMENT ON COLUMN crm_bridge.record_name.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.record_name.module IS 'the record''s module';
COMMENT ON COLUMN crm_bridge.record_name.record_id IS 'the record';
COMMENT ON COLUMN crm_bridge.record_name.name IS 'its name, subject or first words';

-- What a record is called in a mail; one without a name by its id.
CREATE OR REPLACE FUNCTION crm_bridge._record_label(org_id bigint, module text, record_id uuid)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE((SELECT n.name FROM crm_bridge.record_name AS n
                    WHERE n.org_id = _record_label.org_id AND n.module = _record_label.module AND n.record_id = _record_label.record_id), _record_label.record_id::text);
END
$$;
COMMENT ON FUNCTION crm_bridge._record_label(bigint, text, uuid) IS 'what a record is called in a mail';
REVOKE ALL ON FUNCTION crm_bridge._record_label(bigint, text, uuid) FROM PUBLIC;

CREATE VIEW crm_bridge.open_conflicts WITH (security_invoker = true) AS
  SELECT c.org_id, c.conflict_id, c.at, c.module, m.label AS module_label, c.record_id, n.name AS record,
         c.field, w.field_label, p.right_module AS other_module, l.right_id AS other_record_id, o.name AS other_record, c.other_field,
         c.base, m.service || CASE WHEN l.link_id IS NULL THEN ', this database' ELSE '' END AS left_side, c.left_value, c.left_by, c.left_at,
         COALESCE(r.service, m.service) AS right_side, c.right_value, c.right_by, c.right_at, c.winner, c.reason,
         CASE c.winner WHEN 'left' THEN c.right_value WHEN 'right' THEN c.left_value END AS losing_value,
         c.winner = 'none' AS needs_decision,
         CASE WHEN c.winner = 'none'
              THEN format('Decide: crm_bridge.resolve_conflict(%L, ''left'') puts %s in force, ''right'' puts %s.', c.conflict_id, c.left_value, c.right_value)
              WHEN c.field = '*'
              THEN format('Nothing, the changed record is kept: crm_bridge.resolve_conflict(%L, %L) says that this is right, %L deletes it after all.',
                          c.conflict_id, c.winner, w.other_side)
              ELSE format('Nothing, if %s may stay: crm_bridge.resolve_conflict(%L, %L) puts %s in force again.',
                          CASE c.winner WHEN 'left' THEN c.left_value ELSE c.right_value END, c.conflict_id, w.other_side,
                          CASE c.winner WHEN 'left' THEN c.right_value ELSE c.left_value END) END AS what_to_do,
         now() AS as_of
    FROM crm_bridge.conflict AS c
    JOIN crm_bridge.module AS m ON m.module = c.module
    LEFT JOIN crm_bridge.link AS l ON l.org_id = c.org_id AND l.link_id = c.link_id
    LEFT JOIN crm_bridge.pairing AS p ON p.org_id = l.org_id AND p.pairing = l.pairing
    LEFT JOIN crm_bridge.module AS r ON r.module = p.right_module
    LEFT JOIN crm_bridge.service_field AS f ON f.org_id = c.org_id AND f.module = c.module AND f.field = c.field
    LEFT JOIN LATERAL (SELECT x.name FROM crm_bridge.record_name AS x WHERE x.org_id = c.org_id AND x.module = c.module AND x.record_id = c.record_id LIMIT 1) AS n ON true
    LEFT JOIN LATERAL (SELECT x.name FROM crm_bridge.record_name AS x WHERE x.org_id = c.org_id AND x.module = p.right_module AND x.record_id = l.right_id LIMIT 1) AS o ON true
   CROSS JOIN LATERAL (SELECT CASE c.field WHEN '*' THEN 'the whole record' ELSE replace(COALESCE(f.api_name, c.field), '_', ' ') END AS field_label,
                              CASE c.winner WHEN 'left' THEN 'right' ELSE 'left' END AS other_side) AS w
   WHERE c.resolved_at IS NULL;
COMMENT ON VIEW crm_bridge.open_conflicts IS 'fields that both sides changed: both values with their authors, who won and why, and what can be done';

DO $comments$
DECLARE
  meaning jsonb := '{
    "org_id": "the organization", "conflict_id": "for resolve_conflict", "at": "when it was found", "module": "module of the left record",
    "module_label": "what people call such a record", "record_id": "the left record", "record": "its name", "field": "the left side''s field; * for the whole record, deleted on one side",
    "field_label": "what people call the field", "other_module": "module of the right record; empty where the service itself is the right side",
    "other_record_id": "the right record", "other_record": "its name", "other_field": "the right side''s field", "base": "the value that both sides agreed on",
    "left_side": "where the left value was entered", "left_value": "what the left side had", "left_by": "who changed the left side", "left_at": "when",
    "right_side": "where the right value was entered", "right_value": "what the right side had", "right_by": "who changed the right side", "right_at": "when",
    "winner": "whose value is in force: left, right, or none while it waits for a decision", "reason": "what decided: policy, newest, tie, direction, manual, deleted, merged; unread: our write replaced the other before it was read",
    "losing_value": "the value that is not in force", "needs_decision": "nobody won: a person decides", "what_to_do": "in words", "as_of": "when this was read"}';
  each_column name;
BEGIN
  FOR each_column IN SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = 'crm_bridge.open_conflicts'::regclass AND a.attnum > 0 LOOP
    EXECUTE format('COMMENT ON COLUMN crm_bridge.open_conflicts.%I IS %L', each_column, meaning ->> each_column);
  END LOOP;
END
$comments$;
