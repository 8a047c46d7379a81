-- What administrators are told when the users of a profile were added to Projects (R32).

-- The names of a profile that was saved, or of all of them, and those of its people who cannot be added at all.
CREATE OR REPLACE FUNCTION crm_bridge._saved_profiles(profile_id uuid, org_id bigint)
RETURNS TABLE (names jsonb, left_out jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _saved_profiles.org_id;
  saved uuid[] := ARRAY(SELECT f.profile_id FROM crm_bridge.profile_permission AS f
                         WHERE f.org_id = org AND f.profile_id = COALESCE(_saved_profiles.profile_id, f.profile_id));
BEGIN
  RETURN QUERY SELECT
    (SELECT COALESCE(jsonb_agg(p.name ORDER BY p.name), '[]') FROM crm_bridge.crm_profile AS p WHERE p.org_id = org AND p.id = ANY (saved)),
    (SELECT COALESCE(jsonb_agg(jsonb_build_object('who', COALESCE(NULLIF(u.email, ''), u.full_name, u.external_id),
                                                  'word', CASE WHEN COALESCE(u.status, 'active') <> 'active' THEN 'not_active' ELSE 'no_address' END)
                               ORDER BY u.email, u.full_name, u.id), '[]')
       FROM crm_bridge.crm_user AS u
      WHERE u.org_id = org AND u.profile_id = ANY (saved) AND (COALESCE(u.status, 'active') <> 'active' OR COALESCE(u.email, '') = ''));
END
$$;
COMMENT ON FUNCTION crm_bridge._saved_profiles(uuid, bigint) IS 'the names of saved profiles, and their people who cannot be added to Projects';
REVOKE ALL ON FUNCTION crm_bridge._saved_profiles(uuid, bigint) FROM PUBLIC;

-- Tells the administrators who was added and who could not be, once for each run, when Projects has answered for everybody.
-- Part of every heartbeat.
CREATE OR REPLACE FUNCTION crm_bridge._report_provisioning()
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  run crm_bridge.run;
  made jsonb;
  refused jsonb;
  waiting boolean;
BEGIN
  FOR run IN SELECT r.* FROM crm_bridge.run AS r WHERE r.kind = 'provisioning' AND r.finished_at IS NULL ORDER BY r.org_id, r.run_id FOR UPDATE SKIP LOCKED LOOP
    -- By address, not by record: one that was read while it was being made has become another record.  Who is not among the
    -- portal's users any more left with the portal.
    SELECT bool_or(d.state IN ('pending', 'in_flight', 'waiting', 'held')),
           COALESCE(jsonb_agg(p.email ORDER BY p.email) FILTER (WHERE u.external_id IS NOT NULL), '[]'),
           COALESCE(jsonb_agg(jsonb_build_object('who', p.email, 'reason', CASE WHEN d.state IS NULL THEN 'integration_inactive' ELSE 'parked' END,
                                                 'detail', COALESCE(d.detail, d.reason)) ORDER BY p.email) FILTER (WHERE u.external_id IS NULL), '[]')
      INTO waiting, made, refused
      FROM jsonb_array_elements_text(run.facts -> 'emails') AS p (email)
      LEFT JOIN LATERAL (SELECT u.id, COALESCE(u.external_id, s.external_id) AS external_id FROM crm_bridge.projects_user AS u
                           LEFT JOIN crm_bridge.shadow AS s ON s.org_id = u.org_id AND s.record_id = u.id AND s.state = 'live'
                          WHERE u.org_id = run.org_id AND lower(u.email) = p.email ORDER BY 2, u.id LIMIT 1) AS u ON true
      LEFT JOIN crm_bridge.delivery AS d ON d.org_id = run.org_id AND d.record_id = u.id AND u.external_id IS NULL;
    CONTINUE WHEN waiting;
    PERFORM crm_bridge._notify(run.org_id, a.email, 'users_provisioned',
              jsonb_build_object('profile', run.facts -> 'profile', 'users', made, 'refused', refused || (run.facts -> 'left_out')), cause => run.run_id)
       FROM crm_bridge._administrators(run.org_id) AS a (email);
    -- The mails have the addresses now; nobody needs them twice.
    UPDATE crm_bridge.run AS r SET state = 'finished', done = jsonb_array_length(made), finished_at = now(), facts = '{}'
     WHERE r.org_id = run.org_id AND r.run_id = run.run_id;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._report_provisioning() IS 'tells the administrators who was added to Projects and who could not be (R32)';
REVOKE ALL ON FUNCTION crm_bridge._report_provisioning() FROM PUBLIC;
