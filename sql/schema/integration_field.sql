-- Fields of Projects' layouts that show a field of the CRM and write it back (R135-R137).
CREATE TABLE crm_bridge.integration_field (
  org_id         bigint      NOT NULL,
  name           text        NOT NULL,
  service        text        NOT NULL,
  module         text        NOT NULL,
  field          text        NOT NULL,
  project_field  text        NOT NULL,
  added_at       timestamptz NOT NULL DEFAULT now(),
  added_by       text        NOT NULL DEFAULT crm_bridge.calling_role(),
  CONSTRAINT integration_field_key PRIMARY KEY (org_id, name),
  CONSTRAINT integration_field_project_field_unique UNIQUE (org_id, project_field),
  CONSTRAINT integration_field_has_name CHECK (btrim(name) <> ''),
  CONSTRAINT integration_field_of_deals CHECK (service = 'zoho_crm' AND module = 'crm_deal')
);
COMMENT ON TABLE crm_bridge.integration_field IS 'fields of a project''s layout that show a field of the CRM and write it back (R135); made by add_integration_field';
COMMENT ON COLUMN crm_bridge.integration_field.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.integration_field.name IS 'name of the field, as people see it';
COMMENT ON COLUMN crm_bridge.integration_field.service IS 'the service that has the data: zoho_crm';
COMMENT ON COLUMN crm_bridge.integration_field.module IS 'the module: crm_deal, found by the project''s link';
COMMENT ON COLUMN crm_bridge.integration_field.field IS 'the module''s field';
COMMENT ON COLUMN crm_bridge.integration_field.project_field IS 'API name of the custom field of projects that shows it';
COMMENT ON COLUMN crm_bridge.integration_field.added_at IS 'when it was added';
COMMENT ON COLUMN crm_bridge.integration_field.added_by IS 'who added it';
