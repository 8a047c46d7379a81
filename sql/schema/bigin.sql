-- Mirrors of Bigin, and what its catalog says of them; the rules of schema/crm.sql hold here too.  Bigin's companies are the
-- module Accounts of its API.

CREATE TABLE crm_bridge.bigin_user (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  full_name      text,
  first_name     text,
  last_name      text,
  email          text,
  status         text,
  is_confirmed   boolean,
  profile        text,
  role           text,
  time_zone      text,
  locale         text,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT bigin_user_key PRIMARY KEY (org_id, id),
  CONSTRAINT bigin_user_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.bigin_user IS 'users of Bigin; read only';
CREATE INDEX bigin_user_by_email ON crm_bridge.bigin_user (org_id, lower(email));

CREATE TABLE crm_bridge.bigin_company (
  org_id           bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id               uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id      text,
  account_name     text,
  phone            text,
  website          text,
  description      text,
  billing_street   text,
  billing_city     text,
  billing_state    text,
  billing_code     text,
  billing_country  text,
  owner_id         uuid,
  custom_fields    jsonb        NOT NULL DEFAULT '{}',
  origin           text         NOT NULL DEFAULT 'app',
  created_at       timestamptz  NOT NULL DEFAULT now(),
  modified_at      timestamptz  NOT NULL DEFAULT now(),
  modified_by      text,
  CONSTRAINT bigin_company_key PRIMARY KEY (org_id, id),
  CONSTRAINT bigin_company_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.bigin_company IS 'companies in Bigin';
CREATE INDEX bigin_company_by_account_name ON crm_bridge.bigin_company (org_id, lower(btrim(account_name)));

-- Its pairing looks for clients by name too.
CREATE INDEX projects_client_by_folded_name ON crm_bridge.projects_client (org_id, lower(btrim(name)));

CREATE TABLE crm_bridge.bigin_contact (
  org_id           bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id               uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id      text,
  first_name       text,
  last_name        text,
  email            text,
  phone            text,
  mobile           text,
  title            text,
  mailing_street   text,
  mailing_city     text,
  mailing_country  text,
  description      text,
  account_id       uuid,
  owner_id         uuid,
  custom_fields    jsonb        NOT NULL DEFAULT '{}',
  origin           text         NOT NULL DEFAULT 'app',
  created_at       timestamptz  NOT NULL DEFAULT now(),
  modified_at      timestamptz  NOT NULL DEFAULT now(),
  modified_by      text,
  CONSTRAINT bigin_contact_key PRIMARY KEY (org_id, id),
  CONSTRAINT bigin_contact_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.bigin_contact IS 'people in Bigin';
CREATE INDEX bigin_contact_by_account_id ON crm_bridge.bigin_contact (org_id, account_id);
CREATE INDEX bigin_contact_by_email ON crm_bridge.bigin_contact (org_id, lower(email));

INSERT INTO crm_bridge.module (module, service, api_name, label, position, creatable, updatable, deletable, polled) VALUES
  ('bigin_user',    'bigin', 'users',    'user',    1, false, false, false, true),
  ('bigin_company', 'bigin', 'Accounts', 'company', 2, true,  true,  true,  true),
  ('bigin_contact', 'bigin', 'Contacts', 'contact', 3, true,  true,  true,  true);

INSERT INTO crm_bridge.standard_field
  (module, field, api_name, type, reference_module, writable, addresses, maximum_length, picklist, description) VALUES
  ('bigin_user', 'full_name', 'full_name', 'text', NULL, false, false, NULL, NULL,
   'full name'),
  ('bigin_user', 'first_name', 'first_name', 'text', NULL, false, false, NULL, NULL,
   'first name'),
  ('bigin_user', 'last_name', 'last_name', 'text', NULL, false, false, NULL, NULL,
   'last name'),
  ('bigin_user', 'email', 'email', 'text', NULL, false, false, NULL, NULL,
   'e-mail address; by it the user is imported into Projects (R131)'),
  ('bigin_user', 'status', 'status', 'picklist', NULL, false, false, NULL, NULL,
   'active, inactive, deleted or disabled'),
  ('bigin_user', 'is_confirmed', 'confirm', 'boolean', NULL, false, false, NULL, NULL,
   'whether the invitation was accepted'),
  ('bigin_user', 'profile', 'profile', 'text', NULL, false, false, NULL, NULL,
   'name of the user''s profile'),
  ('bigin_user', 'role', 'role', 'text', NULL, false, false, NULL, NULL,
   'name of the user''s role'),
  ('bigin_user', 'time_zone', 'time_zone', 'text', NULL, false, false, NULL, NULL,
   'IANA zone of the user'),
  ('bigin_user', 'locale', 'locale', 'text', NULL, false, false, NULL, NULL,
   'language of the user'),
  ('bigin_company', 'account_name', 'Account_Name', 'text', NULL, true, false, 200, NULL,
   'name of the company (R132)'),
  ('bigin_company', 'phone', 'Phone', 'text', NULL, true, false, 30, NULL,
   'telephone'),
  ('bigin_company', 'website', 'Website', 'text', NULL, true, false, 255, NULL,
   'web address'),
  ('bigin_company', 'description', 'Description', 'text', NULL, true, false, 32000, NULL,
   'free text'),
  ('bigin_company', 'billing_street', 'Billing_Street', 'text', NULL, true, false, 250, NULL,
   'street'),
  ('bigin_company', 'billing_city', 'Billing_City', 'text', NULL, true, false, 100, NULL,
   'city'),
  ('bigin_company', 'billing_state', 'Billing_State', 'text', NULL, true, false, 100, NULL,
   'state or province'),
  ('bigin_company', 'billing_code', 'Billing_Code', 'text', NULL, true, false, 30, NULL,
   'postal code'),
  ('bigin_company', 'billing_country', 'Billing_Country', 'text', NULL, true, false, 100, NULL,
   'country'),
  ('bigin_company', 'owner_id', 'Owner', 'reference', 'bigin_user', true, false, NULL, NULL,
   'the user who owns the company'),
  ('bigin_contact', 'first_name', 'First_Name', 'text', NULL, true, false, 40, NULL,
   'first name'),
  ('bigin_contact', 'last_name', 'Last_Name', 'text', NULL, true, false, 80, NULL,
   'last name; Bigin demands one'),
  ('bigin_contact', 'email', 'Email', 'text', NULL, true, false, 100, NULL,
   'e-mail address; Bigin takes each once'),
  ('bigin_contact', 'phone', 'Phone', 'text', NULL, true, false, 30, NULL,
   'telephone'),
  ('bigin_contact', 'mobile', 'Mobile', 'text', NULL, true, false, 30, NULL,
   'mobile telephone'),
  ('bigin_contact', 'title', 'Title', 'text', NULL, true, false, 100, NULL,
   'position in the company'),
  ('bigin_contact', 'mailing_street', 'Mailing_Street', 'text', NULL, true, false, 250, NULL,
   'street'),
  ('bigin_contact', 'mailing_city', 'Mailing_City', 'text', NULL, true, false, 100, NULL,
   'city'),
  ('bigin_contact', 'mailing_country', 'Mailing_Country', 'text', NULL, true, false, 100, NULL,
   'country'),
  ('bigin_contact', 'description', 'Description', 'text', NULL, true, false, 32000, NULL,
   'free text'),
  ('bigin_contact', 'account_id', 'Account_Name', 'reference', 'bigin_company', true, false, NULL, NULL,
   'the company'),
  ('bigin_contact', 'owner_id', 'Owner', 'reference', 'bigin_user', true, false, NULL, NULL,
   'the user who owns the contact');
