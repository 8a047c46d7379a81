-- What EXPLAIN is to a query: why a record is where it is, and what the transaction at hand would cause.

-- Arguments: a record's id.  Result: facts as rows, most important first; nothing for an id that nobody knows.
-- topic: shadow, delivery, field, held, link, request, conflict; reason: the reason code of D12 where the record is not in step.
CREATE OR REPLACE FUNCTION crm_bridge.explain_sync(record_id uuid, org_id bigint DEFAULT NULL)
RETURNS TABLE (topic text, subject text, state text, reason text, detail jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(explain_sync.org_id);
  each_module text;
BEGIN
  -- With its owner's rights it would tell of records of Projects what the caller may not view (R36).
  IF EXISTS (SELECT 1 FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = explain_sync.record_id AND NOT crm_bridge._may_see(s.module))
     OR EXISTS (SELECT 1 FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = explain_sync.record_id AND NOT crm_bridge._may_see(d.module)) THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT 'shadow', s.module, s.state,
         CASE s.state WHEN 'expected' THEN 'pending' WHEN 'gone' THEN 'unlinked' END,
         jsonb_build_object('external_id', s.external_id, 'version', s.version, 'read_at', s.read_at,
                            'acknowledged_at', s.acknowledged_at, 'fields', s.fields)
    FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = explain_sync.record_id;

  RETURN QUERY
  SELECT 'delivery', d.module, d.state,
         CASE WHEN d.state IN ('parked', 'dead') THEN 'parked' WHEN d.state = 'held' THEN 'held' ELSE 'pending' END,
         jsonb_strip_nulls(jsonb_build_object(
           'to_do', CASE WHEN d.operation = 'delete' THEN 'delete'
                         WHEN EXISTS (SELECT 1 FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = d.record_id
                                         AND s.external_id IS NOT NULL AND s.state <> 'gone') THEN 'update' ELSE 'create' END,
           'fields', to_jsonb(d.fields), 'attempts', d.attempts, 'not_before', NULLIF(d.not_before, '-infinity'),
           'waits_for', d.waits_for, 'in_doubt', d.in_doubt, 'sent', d.sent, 'reason', d.reason, 'detail', d.detail))
    FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = explain_sync.record_id;

  -- Custom fields that an app wrote and that the service does not know, or only reads out.
  FOR each_module IN SELECT DISTINCT m.module FROM crm_bridge.module AS m
                      WHERE m.module IN (SELECT d.module FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = explain_sync.record_id
                                          UNION ALL
                                         SELECT s.module FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = explain_sync.record_id) LOOP
    RETURN QUERY EXECUTE format(
      'SELECT ''field'', c.key, ''not_sent'', CASE WHEN f.field IS NULL THEN ''refused'' ELSE ''field_read_only'' END,
              jsonb_build_object(''value'', c.value, ''why'', CASE WHEN f.field IS NULL THEN ''field_unknown'' ELSE ''field_read_only'' END)
         FROM crm_bridge.%I AS m
        CROSS JOIN LATERAL jsonb_each(m.custom_fields) AS c
         LEFT JOIN crm_bridge.service_field AS f ON f.org_id = m.org_id AND f.module = %L AND f.field = c.key AND f.custom
         LEFT JOIN crm_bridge.shadow AS s ON s.org_id = m.org_id AND s.record_id = m.id
        WHERE m.org_id = $1 AND m.id = $2 AND f.writable IS NOT TRUE AND s.fields -> c.key IS DISTINCT FROM c.value
        ORDER BY c.key', each_module, each_module) USING org, explain_sync.record_id;
  END LOOP;

  -- R77: a comment has no title; its first line keeps the one that the note was made with.
  RETURN QUERY
  SELECT 'field', 'title', 'not_carried', 'field_read_only',
         jsonb_build_object('value', n.title, 'why', 'A comment has no title: the first line of the twin keeps the one that the note was made with.', 'twin', c.id)
    FROM crm_bridge.crm_note AS n
    JOIN crm_bridge.link AS l ON l.org_id = n.org_id AND l.left_id = n.id AND l.pairing = 'note_comment' AND l.state = 'active'
    JOIN crm_bridge.projects_comment AS c ON c.org_id = l.org_id AND c.id = l.right_id
   WHERE n.org_id = org AND n.id = explain_sync.record_id AND crm_bridge._may_see('projects_comment')
     AND EXISTS (SELECT 1 FROM crm_bridge.history AS h WHERE h.org_id = org AND h.record_id = n.id AND h.operation = 'update' AND h.old ? 'title' AND h.at > l.created_at);

  RETURN QUERY
  SELECT 'held', h.operation, h.state, 'held', jsonb_build_object('direction', h.direction, 'run_id', h.run_id, 'version', h.version, 'at', h.at)
    FROM crm_bridge.held_change AS h WHERE h.org_id = org AND h.record_id = explain_sync.record_id AND crm_bridge._may_see(h.module);

  RETURN QUERY
  SELECT 'link', l.pairing, l.state, CASE WHEN l.state = 'suspended' THEN 'integration_inactive' WHEN l.state = 'archived' THEN 'unlinked' END,
         jsonb_build_object('link_id', l.link_id, 'twin', CASE WHEN l.left_id = explain_sync.record_id THEN l.right_id ELSE l.left_id END,
                            'side', CASE WHEN l.left_id = explain_sync.record_id THEN 'left' ELSE 'right' END,
                            'left_base', l.left_base, 'right_base', l.right_base)
    FROM crm_bridge._links_of(org, explain_sync.record_id) AS l
   WHERE crm_bridge._may_see(l.pairing);

  RETURN QUERY
  SELECT 'request', r.module, r.operation, 'pending', jsonb_build_object('fields', to_jsonb(r.fields), 'old', r.old, 'at', r.at)
    FROM crm_bridge.reconcile_request AS r
   WHERE r.org_id = org AND r.record_id = explain_sync.record_id AND crm_bridge._may_see(r.module);

  RETURN QUERY
  SELECT 'conflict', c.field, CASE WHEN c.winner = 'none' THEN 'open' ELSE c.winner END, c.reason,
         jsonb_build_object('base', c.base, 'left', c.left_value, 'right', c.right_value, 'at', c.at)
    FROM crm_bridge.conflict AS c
   WHERE c.org_id = org AND c.record_id = explain_sync.record_id AND c.resolved_at IS NULL AND crm_bridge._may_see(c.module);
END
$$;
COMMENT ON FUNCTION crm_bridge.explain_sync(uuid, bigint) IS 'why a record is where it is: what its service knows, what is on its way, its links, what is open (B4)';
REVOKE ALL ON FUNCTION crm_bridge.explain_sync(uuid, bigint) FROM PUBLIC;

-- The requests that the changes of the current transaction would cause, were it to commit now (B4).  Try and roll back.
-- Result: one row a record: its service, what would be sent, and for which record it would wait first.
CREATE OR REPLACE FUNCTION crm_bridge.pending_changes(org_id bigint DEFAULT NULL)
RETURNS TABLE (service text, module text, record_id uuid, request text, fields jsonb, waits_for uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(pending_changes.org_id);
  touched uuid[];
BEGIN
  touched := ARRAY(SELECT DISTINCT h.record_id FROM crm_bridge.history AS h
                    WHERE h.org_id = org AND h.at >= transaction_timestamp()
                      AND h.transaction_id = pg_current_xact_id_if_assigned());
  RETURN QUERY
  SELECT m.service, c.module, c.record_id, c.operation, c.own, c.waits_for
    FROM crm_bridge._compose(org, touched) AS c
    JOIN crm_bridge.module AS m ON m.module = c.module
   WHERE crm_bridge._may_see(c.module) AND (c.operation <> 'update' OR c.own <> '{}');
END
$$;
COMMENT ON FUNCTION crm_bridge.pending_changes(bigint) IS 'the requests that the current transaction would cause (B4): try, look, roll back';
REVOKE ALL ON FUNCTION crm_bridge.pending_changes(bigint) FROM PUBLIC;
