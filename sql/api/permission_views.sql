-- Who may what, and what only the portal's administrator sees.  As all views: with the reader's own rights.

CREATE VIEW crm_bridge.permission_matrix WITH (security_invoker = true) AS
  SELECT p.org_id, p.id AS profile_id, p.name AS profile, a.administers,
         COALESCE(f.tab_visible, a.administers) AS tab_visible, COALESCE(f.can_view, a.administers) AS can_view,
         COALESCE(f.can_create, a.administers) AS can_create, COALESCE(f.can_edit, a.administers) AS can_edit,
         COALESCE(f.can_delete, a.administers) AS can_delete,
         (SELECT count(*) FROM crm_bridge.crm_user AS u
           WHERE u.org_id = p.org_id AND u.profile_id = p.id AND COALESCE(u.status, 'active') = 'active') AS users,
         f.changed_at, f.changed_by, now() AS as_of
    FROM crm_bridge.crm_profile AS p
    LEFT JOIN crm_bridge.profile_permission AS f ON f.org_id = p.org_id AND f.profile_id = p.id
   CROSS JOIN LATERAL (
         SELECT EXISTS (SELECT 1 FROM jsonb_array_elements_text(COALESCE(
                          (SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = p.org_id AND s.name = 'administrator_profiles'),
                          '["Administrator"]')) AS n (name) WHERE lower(n.name) = lower(p.name)) AS administers) AS a;
COMMENT ON VIEW crm_bridge.permission_matrix IS 'what each CRM profile may do with the data of Projects (R31), and how many active users it has';
COMMENT ON COLUMN crm_bridge.permission_matrix.profile_id IS 'the profile';
COMMENT ON COLUMN crm_bridge.permission_matrix.profile IS 'its name';
COMMENT ON COLUMN crm_bridge.permission_matrix.administers IS 'whether it is a profile of administrators (setting administrator_profiles)';
COMMENT ON COLUMN crm_bridge.permission_matrix.tab_visible IS 'whether there is anything of Projects to be seen';
COMMENT ON COLUMN crm_bridge.permission_matrix.can_view IS 'whether records may be read';
COMMENT ON COLUMN crm_bridge.permission_matrix.can_create IS 'whether records may be inserted';
COMMENT ON COLUMN crm_bridge.permission_matrix.can_edit IS 'whether records may be updated';
COMMENT ON COLUMN crm_bridge.permission_matrix.can_delete IS 'whether records may be deleted';
COMMENT ON COLUMN crm_bridge.permission_matrix.users IS 'active users of the profile';
COMMENT ON COLUMN crm_bridge.permission_matrix.changed_at IS 'when its flags were set last; empty: never, the default holds';
COMMENT ON COLUMN crm_bridge.permission_matrix.changed_by IS 'by whom';

-- R143, R144.  A barrier: no condition of the reader's is tried on a row before it is settled that he may see it.
CREATE VIEW crm_bridge.project_crm_details WITH (security_invoker = true, security_barrier = true) AS
  SELECT p.org_id, p.id AS project_id, p.name AS project, c.id AS client_id, c.name AS client,
         a.id AS account_id, a.account_name AS account, a.account_number, a.account_type, a.industry, a.phone, a.website,
         a.billing_city, a.billing_country, d.id AS deal_id, d.deal_name AS deal, d.stage, d.amount, d.probability, d.closing_date,
         u.full_name AS deal_owner, now() AS as_of
    FROM crm_bridge.projects_project AS p
    LEFT JOIN crm_bridge.projects_client AS c ON c.org_id = p.org_id AND c.id = p.client_id
    LEFT JOIN crm_bridge.link AS ld ON ld.org_id = p.org_id AND ld.right_id = p.id AND ld.pairing = 'deal_project' AND ld.state <> 'archived'
    LEFT JOIN crm_bridge.crm_deal AS d ON d.org_id = p.org_id AND d.id = ld.left_id
    LEFT JOIN crm_bridge.crm_user AS u ON u.org_id = d.org_id AND u.id = d.owner_id
    LEFT JOIN crm_bridge.link AS la ON la.org_id = p.org_id AND la.right_id = p.client_id AND la.pairing = 'account_client' AND la.state <> 'archived'
    LEFT JOIN crm_bridge.crm_account AS a ON a.org_id = p.org_id AND a.id = COALESCE(la.left_id, d.account_id)
   WHERE p.org_id = crm_bridge._crm_details_org();
COMMENT ON VIEW crm_bridge.project_crm_details IS
  'client, CRM account and deal beside each project (R143), for the portal''s administrator only (R144)';
COMMENT ON COLUMN crm_bridge.project_crm_details.client_id IS 'the client';
COMMENT ON COLUMN crm_bridge.project_crm_details.client IS 'its name';
COMMENT ON COLUMN crm_bridge.project_crm_details.account_number IS 'the account''s number';
COMMENT ON COLUMN crm_bridge.project_crm_details.account_type IS 'kind of account';
COMMENT ON COLUMN crm_bridge.project_crm_details.industry IS 'industry';
COMMENT ON COLUMN crm_bridge.project_crm_details.phone IS 'telephone';
COMMENT ON COLUMN crm_bridge.project_crm_details.website IS 'web address';
COMMENT ON COLUMN crm_bridge.project_crm_details.billing_city IS 'city';
COMMENT ON COLUMN crm_bridge.project_crm_details.billing_country IS 'country';
COMMENT ON COLUMN crm_bridge.project_crm_details.stage IS 'the deal''s stage';
COMMENT ON COLUMN crm_bridge.project_crm_details.amount IS 'its amount';
COMMENT ON COLUMN crm_bridge.project_crm_details.probability IS 'its probability in percent';
COMMENT ON COLUMN crm_bridge.project_crm_details.closing_date IS 'its closing date';
COMMENT ON COLUMN crm_bridge.project_crm_details.deal_owner IS 'who owns the deal';
