-- Organizations, the integrations they switched on, and how database roles belong to them.

CREATE TABLE crm_bridge.organization (
  org_id      bigint      NOT NULL,
  name        text        NOT NULL,
  edition     text        NOT NULL DEFAULT 'enterprise',
  time_zone   text        NOT NULL DEFAULT 'UTC',
  created_at  timestamptz NOT NULL DEFAULT now(),
  history_kept_since  timestamptz,
  CONSTRAINT organization_key PRIMARY KEY (org_id),
  CONSTRAINT organization_id_positive CHECK (org_id > 0),
  CONSTRAINT organization_has_name CHECK (btrim(name) <> ''),
  CONSTRAINT organization_edition_known CHECK (edition IN
    ('free', 'standard', 'professional', 'enterprise', 'ultimate', 'crmplus', 'zohoone'))
);
COMMENT ON TABLE crm_bridge.organization IS 'one CRM account each: the tenant; made by create_organization';
COMMENT ON COLUMN crm_bridge.organization.org_id IS 'leads every key of every table';
COMMENT ON COLUMN crm_bridge.organization.name IS 'shown in views and mails';
COMMENT ON COLUMN crm_bridge.organization.edition IS 'edition of the CRM; decides the trial (R2) and invitations (R96)';
COMMENT ON COLUMN crm_bridge.organization.time_zone IS 'IANA zone that a CRM date without a zone belongs to (D18)';
COMMENT ON COLUMN crm_bridge.organization.created_at IS 'when it was made';
COMMENT ON COLUMN crm_bridge.organization.history_kept_since IS 'what of its history is older was dropped by maintain(); empty: nothing was';

-- The states of a service; docs/integration.md draws them.  _check_transition refuses any other way.
CREATE TABLE crm_bridge.integration (
  org_id          bigint      NOT NULL,
  service         text        NOT NULL,
  state           text        NOT NULL DEFAULT 'off',
  portal_id       uuid,
  activated_at    timestamptz,
  activated_by    text,
  deactivated_at  timestamptz,
  deactivated_by  text,
  trial_ends_at   timestamptz,
  stopped_since   timestamptz,
  stopped_reason  text,
  stopped_detail  text,
  reads_until     timestamptz,
  credential_kind text        NOT NULL DEFAULT 'oauth',
  CONSTRAINT integration_key PRIMARY KEY (org_id, service),
  CONSTRAINT integration_service_known CHECK (service IN ('zoho_crm', 'zoho_projects', 'bigin', 'office365')),
  CONSTRAINT integration_state_known CHECK (state IN ('off', 'configuring', 'active', 'stopped', 'trial_expired')),
  CONSTRAINT integration_active_has_date CHECK (state NOT IN ('active', 'stopped', 'trial_expired') OR activated_at IS NOT NULL),
  CONSTRAINT integration_projects_has_portal
    CHECK (service <> 'zoho_projects' OR state NOT IN ('active', 'stopped', 'trial_expired') OR portal_id IS NOT NULL),
  CONSTRAINT integration_trial_has_end CHECK (state <> 'trial_expired' OR trial_ends_at IS NOT NULL),
  CONSTRAINT integration_stopped_has_reason CHECK ((state = 'stopped') = (stopped_reason IS NOT NULL)),
  CONSTRAINT integration_stopped_has_time CHECK ((state = 'stopped') = (stopped_since IS NOT NULL)),
  CONSTRAINT integration_credential_known CHECK (credential_kind IN ('oauth', 'zsc_key')),
  CONSTRAINT integration_stopped_reason_known CHECK (stopped_reason IN ('paused', 'zsc_key_stale', 'credential_refused', 'portal_gone'))
);
COMMENT ON TABLE crm_bridge.integration IS
  'the services of an organization: off → configuring (activate_projects) → active (choose_portal) ⇄ stopped, trial_expired; → off (deactivate_projects)';
COMMENT ON COLUMN crm_bridge.integration.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.integration.service IS 'zoho_crm, zoho_projects, bigin or office365';
COMMENT ON COLUMN crm_bridge.integration.state IS 'off, configuring, active, stopped or trial_expired; only active sends and receives';
COMMENT ON COLUMN crm_bridge.integration.portal_id IS 'the Projects portal that is linked, one at a time (R6); while off the one that was';
COMMENT ON COLUMN crm_bridge.integration.activated_at IS 'when it became active last';
COMMENT ON COLUMN crm_bridge.integration.activated_by IS 'who activated it';
COMMENT ON COLUMN crm_bridge.integration.deactivated_at IS 'when it was switched off last (R48)';
COMMENT ON COLUMN crm_bridge.integration.deactivated_by IS 'who switched it off';
COMMENT ON COLUMN crm_bridge.integration.trial_ends_at IS 'end of the 15 days of the free edition (R2), counted once from the first activation; of no account in other editions';
COMMENT ON COLUMN crm_bridge.integration.stopped_since IS 'since when it has been stopped';
COMMENT ON COLUMN crm_bridge.integration.stopped_reason IS 'paused, zsc_key_stale, credential_refused or portal_gone';
COMMENT ON COLUMN crm_bridge.integration.stopped_detail IS 'why, in somebody''s words';
COMMENT ON COLUMN crm_bridge.integration.credential_kind IS 'by which credential the service is opened: our own, or for another user''s portal his ZSC key (R11)';
COMMENT ON COLUMN crm_bridge.integration.reads_until IS
  'after a time without the service: until then, or until it has been read, nothing is sent, so that what happened there meanwhile is seen first';

CREATE TABLE crm_bridge.role_binding (
  org_id   bigint NOT NULL,
  role     name   NOT NULL,
  kind     text   NOT NULL,
  user_id  uuid,
  CONSTRAINT role_binding_key PRIMARY KEY (org_id, role),
  CONSTRAINT role_binding_kind_known CHECK (kind IN ('app', 'analyst', 'administrator'))
);
COMMENT ON TABLE crm_bridge.role_binding IS 'which database role works for which organization; written by grant_app, grant_analyst, grant_administrator';
COMMENT ON COLUMN crm_bridge.role_binding.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.role_binding.role IS 'the database role, by name, so that a dump can be restored elsewhere';
COMMENT ON COLUMN crm_bridge.role_binding.kind IS 'app, analyst or administrator';
COMMENT ON COLUMN crm_bridge.role_binding.user_id IS 'the CRM user whom the role stands for, if it is one person';

CREATE TABLE crm_bridge.setting (
  org_id  bigint NOT NULL,
  name    text   NOT NULL,
  value   jsonb  NOT NULL,
  CONSTRAINT setting_key PRIMARY KEY (org_id, name)
);
COMMENT ON TABLE crm_bridge.setting IS 'what an organization decided otherwise than the default; read with setting_value(name, default)';
COMMENT ON COLUMN crm_bridge.setting.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.setting.name IS 'for example won_stages or maximum_attempts';
COMMENT ON COLUMN crm_bridge.setting.value IS 'a JSON value of the setting''s type';

CREATE TABLE crm_bridge.automation (
  org_id      bigint      NOT NULL,
  rule        text        NOT NULL,
  enabled     boolean     NOT NULL DEFAULT false,
  changed_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT automation_key PRIMARY KEY (org_id, rule),
  CONSTRAINT automation_rule_known CHECK (rule IN ('won_deal_becomes_project', 'clients_in_bigin', 'comments_of_linked_tasks'))
);
COMMENT ON TABLE crm_bridge.automation IS 'rules that act by themselves on transitions seen after they were enabled (R55, D13)';
COMMENT ON COLUMN crm_bridge.automation.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.automation.rule IS 'won_deal_becomes_project: a deal that becomes won gets a project; clients_in_bigin: a new client gets a company in Bigin, a new contact a client user, and the other way round; comments_of_linked_tasks: what is said about a linked task is said on both sides (R77, R78)';
COMMENT ON COLUMN crm_bridge.automation.enabled IS 'whether the rule acts';
COMMENT ON COLUMN crm_bridge.automation.changed_at IS 'when it was enabled or disabled last';

-- Sealed to the worker's public key before it reaches SQL (B16): nothing here can be read with the database alone.
CREATE TABLE crm_bridge.credential (
  org_id         bigint      NOT NULL,
  service        text        NOT NULL,
  kind           text        NOT NULL,
  key_id         text        NOT NULL,
  sealed         bytea       NOT NULL,
  sealed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  email          text,
  stale_since    timestamptz,
  stale_reason   text,
  CONSTRAINT credential_key PRIMARY KEY (org_id, service, kind),
  CONSTRAINT credential_key_has_email CHECK (kind <> 'zsc_key' OR email IS NOT NULL),
  CONSTRAINT credential_stale_has_reason CHECK ((stale_since IS NULL) = (stale_reason IS NULL))
);
COMMENT ON TABLE crm_bridge.credential IS 'secrets of the services, sealed by "crm-bridge seal" to the worker''s key; ciphertext only';
COMMENT ON COLUMN crm_bridge.credential.org_id IS 'the organization; also inside the sealed text, and checked there';
COMMENT ON COLUMN crm_bridge.credential.service IS 'the service that the secret opens';
COMMENT ON COLUMN crm_bridge.credential.kind IS 'oauth, zsc_key, …; also inside the sealed text';
COMMENT ON COLUMN crm_bridge.credential.key_id IS 'which worker key it is sealed to';
COMMENT ON COLUMN crm_bridge.credential.sealed IS 'the ciphertext (libsodium sealed box)';
COMMENT ON COLUMN crm_bridge.credential.sealed_at IS 'when it was stored';
COMMENT ON COLUMN crm_bridge.credential.email IS 'whose it is: the address that a ZSC key was generated for (R17); also inside the sealed text';
COMMENT ON COLUMN crm_bridge.credential.stale_since IS 'since when the service refuses it, or a person has called it stale';
COMMENT ON COLUMN crm_bridge.credential.stale_reason IS 'the service''s words, or the person''s';
