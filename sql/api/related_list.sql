-- The related list "Zoho Projects" on a record of the CRM (R7, R8, R21, R49, D10).

-- Why the list shows no projects: a row of words, or nothing.
CREATE OR REPLACE FUNCTION crm_bridge._why_stopped(locale text, org_id bigint)
RETURNS TABLE (message text, since timestamptz, can_renew text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _why_stopped.org_id;
  owner text := (SELECT c.email FROM crm_bridge.credential AS c WHERE c.org_id = org AND c.service = 'zoho_projects' AND c.kind = 'zsc_key');
BEGIN
  SELECT i.stopped_since INTO since FROM crm_bridge.integration AS i
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state = 'stopped' AND i.stopped_reason IN ('zsc_key_stale', 'credential_refused');
  IF NOT FOUND THEN
    RETURN;
  END IF;
  can_renew := ARRAY(SELECT a.email FROM crm_bridge._administrators(org) AS a (email));
  message := crm_bridge._render('key_stale', 'related_list',
               COALESCE(_why_stopped.locale, (SELECT u.locale FROM crm_bridge.crm_user AS u WHERE u.org_id = org AND u.id = crm_bridge.acting_user()),
                        crm_bridge.setting_value('default_locale', '"en"', org) #>> '{}'),
               jsonb_build_object('since', since, 'email', COALESCE(NULLIF(array_to_string(can_renew, ', '), ''), owner, '')), org);
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION crm_bridge._why_stopped(text, bigint) IS 'what the related list says in place of projects (R21)';
REVOKE ALL ON FUNCTION crm_bridge._why_stopped(text, bigint) FROM PUBLIC;

-- The projects of an account, a deal or a contact; while the ZSC key is stale, in their place one row that says so, since when, and who can
-- renew it (D10).  Nothing while the integration is off: then there is no such list (R49).  With its owner's rights: it stands
-- beside a record of the CRM and is no tab, so whoever may View has it, tab or not (R31); readers see no credentials.
-- Arguments: the record's id; locale of the message (NULL: the acting user's, else the organization's).
-- Errors: 42501 the person may not view projects (R36), nor read then why there are none; 42704 no such record.
CREATE OR REPLACE FUNCTION crm_bridge.related_list(record_id uuid, locale text DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS TABLE (project_id uuid, project text, status text, percent_complete numeric, end_date date, open_tasks bigint, overdue_tasks bigint,
               message text, since timestamptz, can_renew text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(related_list.org_id);
  of_account uuid;
  of_deal uuid;
BEGIN
  PERFORM crm_bridge._demand_permission('view', org);
  SELECT r.account_id, r.deal_id INTO of_account, of_deal FROM (
    SELECT a.id AS account_id, NULL::uuid AS deal_id FROM crm_bridge.crm_account AS a WHERE a.org_id = org AND a.id = related_list.record_id
    UNION ALL SELECT NULL::uuid, d.id FROM crm_bridge.crm_deal AS d WHERE d.org_id = org AND d.id = related_list.record_id
    UNION ALL SELECT c.account_id, NULL::uuid FROM crm_bridge.crm_contact AS c WHERE c.org_id = org AND c.id = related_list.record_id) AS r;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('record %s has no list of projects', related_list.record_id),
      HINT = 'Give the id of an account, a deal or a contact.';
  END IF;
  RETURN QUERY SELECT NULL::uuid, NULL, NULL, NULL::numeric, NULL::date, NULL::bigint, NULL::bigint, w.message, w.since, w.can_renew
                 FROM crm_bridge._why_stopped(related_list.locale, org) AS w;
  IF FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT g.project_id, g.project, g.status, g.percent_complete::numeric, g.end_date::date, g.open_tasks, g.overdue_tasks, NULL, NULL::timestamptz, NULL::text[]
      FROM crm_bridge.project_progress AS g
     WHERE g.org_id = org AND (g.account_id = of_account OR g.deal_id = of_deal)
       AND EXISTS (SELECT 1 FROM crm_bridge.integration AS i WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state <> 'off')
     ORDER BY g.project, g.project_id;
END
$$;
COMMENT ON FUNCTION crm_bridge.related_list(uuid, text, bigint) IS
  'the projects of an account, a deal or a contact, or why there are none to be seen (R21, D10)';
REVOKE ALL ON FUNCTION crm_bridge.related_list(uuid, text, bigint) FROM PUBLIC;
