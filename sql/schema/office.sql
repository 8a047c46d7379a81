-- Mirrors of Office 365: the directory of its users.  The rules of schema/crm.sql hold here too.

CREATE TABLE crm_bridge.office_user (
  org_id                bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id                    uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id           text,
  display_name          text,
  given_name            text,
  surname               text,
  mail                  text,
  user_principal_name   text,
  is_enabled            boolean,
  user_type             text,
  job_title             text,
  preferred_language    text,
  custom_fields         jsonb        NOT NULL DEFAULT '{}',
  origin                text         NOT NULL DEFAULT 'app',
  created_at            timestamptz  NOT NULL DEFAULT now(),
  modified_at           timestamptz  NOT NULL DEFAULT now(),
  modified_by           text,
  CONSTRAINT office_user_key PRIMARY KEY (org_id, id),
  CONSTRAINT office_user_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.office_user IS 'users of the Office 365 tenant; read only';
CREATE INDEX office_user_by_mail ON crm_bridge.office_user (org_id, lower(COALESCE(mail, user_principal_name)));

INSERT INTO crm_bridge.module (module, service, api_name, label, position, creatable, updatable, deletable, polled) VALUES
  ('office_user', 'office365', 'users', 'user', 1, false, false, false, true);

INSERT INTO crm_bridge.standard_field
  (module, field, api_name, type, reference_module, writable, addresses, maximum_length, picklist, description) VALUES
  ('office_user', 'display_name', 'displayName', 'text', NULL, false, false, NULL, NULL,
   'name as the directory shows it'),
  ('office_user', 'given_name', 'givenName', 'text', NULL, false, false, NULL, NULL,
   'first name'),
  ('office_user', 'surname', 'surname', 'text', NULL, false, false, NULL, NULL,
   'last name'),
  ('office_user', 'mail', 'mail', 'text', NULL, false, false, NULL, NULL,
   'e-mail address; empty for a user without one'),
  ('office_user', 'user_principal_name', 'userPrincipalName', 'text', NULL, false, false, NULL, NULL,
   'the name to sign in with; counts as the address of a user who has no other'),
  ('office_user', 'is_enabled', 'accountEnabled', 'boolean', NULL, false, false, NULL, NULL,
   'whether the user may sign in'),
  ('office_user', 'user_type', 'userType', 'picklist', NULL, false, false, NULL, ARRAY['Member', 'Guest'],
   'Member or Guest'),
  ('office_user', 'job_title', 'jobTitle', 'text', NULL, false, false, NULL, NULL,
   'position in the company'),
  ('office_user', 'preferred_language', 'preferredLanguage', 'text', NULL, false, false, NULL, NULL,
   'language of the user');
