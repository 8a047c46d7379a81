-- What an organization maps: fields, pairings, mappings, policies.

CREATE TABLE crm_bridge.service_field (
  org_id            bigint      NOT NULL,
  module            text        NOT NULL,
  field             text        NOT NULL,
  api_name          text        NOT NULL,
  type              text        NOT NULL,
  reference_module  text,
  writable          boolean     NOT NULL,
  custom            boolean     NOT NULL,
  addresses         boolean     NOT NULL DEFAULT false,
  maximum_length    integer,
  picklist          text[],
  seen_at           timestamptz NOT NULL DEFAULT now(),
  gone_at           timestamptz,
  CONSTRAINT service_field_key PRIMARY KEY (org_id, module, field),
  CONSTRAINT service_field_type_known CHECK (type IN
    ('text', 'html', 'number', 'money', 'boolean', 'date', 'instant', 'picklist', 'reference', 'references', 'json')),
  CONSTRAINT service_field_reference_named CHECK ((type IN ('reference', 'references')) = (reference_module IS NOT NULL))
);
COMMENT ON TABLE crm_bridge.service_field IS
  'the catalog of an organization''s fields: standard ones (a column of the mirror) and custom ones (a key of custom_fields)';
COMMENT ON COLUMN crm_bridge.service_field.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.service_field.module IS 'the module';
COMMENT ON COLUMN crm_bridge.service_field.field IS 'name in the mirror: the column, or the key in custom_fields';
COMMENT ON COLUMN crm_bridge.service_field.api_name IS 'name in the service''s API';
COMMENT ON COLUMN crm_bridge.service_field.type IS 'what the value means; decides which conversions fit';
COMMENT ON COLUMN crm_bridge.service_field.reference_module IS 'the module that a reference points to';
COMMENT ON COLUMN crm_bridge.service_field.writable IS 'whether the service takes a value for it';
COMMENT ON COLUMN crm_bridge.service_field.custom IS 'whether the organization added it';
COMMENT ON COLUMN crm_bridge.service_field.addresses IS 'part of the record''s URL at the service';
COMMENT ON COLUMN crm_bridge.service_field.maximum_length IS 'characters that the service takes; NULL: not known';
COMMENT ON COLUMN crm_bridge.service_field.picklist IS 'the choices; NULL: not known, anything goes';
COMMENT ON COLUMN crm_bridge.service_field.seen_at IS 'when the service''s metadata were read last';
COMMENT ON COLUMN crm_bridge.service_field.gone_at IS 'since when the service has not listed it any more';

CREATE TABLE crm_bridge.pairing (
  org_id        bigint  NOT NULL,
  pairing       text    NOT NULL,
  left_module   text    NOT NULL,
  right_module  text    NOT NULL,
  position      integer NOT NULL,
  on_delete     text    NOT NULL,
  enabled       boolean NOT NULL DEFAULT true,
  links         boolean NOT NULL DEFAULT true,
  CONSTRAINT pairing_key PRIMARY KEY (org_id, pairing),
  CONSTRAINT pairing_left_known FOREIGN KEY (left_module) REFERENCES crm_bridge.module (module),
  CONSTRAINT pairing_right_known FOREIGN KEY (right_module) REFERENCES crm_bridge.module (module),
  CONSTRAINT pairing_on_delete_known CHECK (on_delete IN ('delete', 'unlink', 'restore'))
);
COMMENT ON TABLE crm_bridge.pairing IS 'which two modules can be linked, or feed one another';
COMMENT ON COLUMN crm_bridge.pairing.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.pairing.pairing IS 'deal_project, account_client, task_task, …';
COMMENT ON COLUMN crm_bridge.pairing.left_module IS 'the CRM''s side';
COMMENT ON COLUMN crm_bridge.pairing.right_module IS 'the other side';
COMMENT ON COLUMN crm_bridge.pairing.position IS 'order in which a change travels where a record has several links';
COMMENT ON COLUMN crm_bridge.pairing.on_delete IS 'what becomes of the twin when one side is deleted (D2): delete; unlink: it stays by itself; restore: it stays, and the deleted record is made anew';
COMMENT ON COLUMN crm_bridge.pairing.enabled IS 'whether changes travel over its links';
COMMENT ON COLUMN crm_bridge.pairing.links IS 'whether its records are linked; false: a left record fills right ones when they are made, and that is all';

CREATE TABLE crm_bridge.field_mapping (
  org_id        bigint  NOT NULL,
  pairing       text    NOT NULL,
  left_field    text    NOT NULL,
  right_field   text    NOT NULL,
  direction     text    NOT NULL DEFAULT 'both',
  keep_in_step  boolean NOT NULL DEFAULT false,
  conversion    text    NOT NULL,
  parameters    jsonb   NOT NULL DEFAULT '{}',
  in_force      boolean NOT NULL DEFAULT false,
  draft         jsonb,
  CONSTRAINT field_mapping_key PRIMARY KEY (org_id, pairing, left_field, right_field),
  CONSTRAINT field_mapping_direction_known CHECK (direction IN ('both', 'left_to_right', 'right_to_left')),
  CONSTRAINT field_mapping_draft_of_what_is_in_force CHECK (draft IS NULL OR in_force)
);
COMMENT ON TABLE crm_bridge.field_mapping IS 'which field of one side feeds which field of the other; written with map_field, which checks it';
COMMENT ON COLUMN crm_bridge.field_mapping.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.field_mapping.pairing IS 'the pairing';
COMMENT ON COLUMN crm_bridge.field_mapping.left_field IS 'field of the left module';
COMMENT ON COLUMN crm_bridge.field_mapping.right_field IS 'field of the right module';
COMMENT ON COLUMN crm_bridge.field_mapping.direction IS 'both, left_to_right or right_to_left';
COMMENT ON COLUMN crm_bridge.field_mapping.keep_in_step IS 'false: filled when the twin is created (R27); true: later changes follow (D7)';
COMMENT ON COLUMN crm_bridge.field_mapping.conversion IS 'name of the conversion: copy, text, comment, number, date_instant, picklist, flag, user_email, linked';
COMMENT ON COLUMN crm_bridge.field_mapping.parameters IS 'the conversion''s parameters, for example a value map';
COMMENT ON COLUMN crm_bridge.field_mapping.in_force IS 'whether it acts: after confirm_field_mapping() (R28)';
COMMENT ON COLUMN crm_bridge.field_mapping.draft IS 'what it will be after the next confirmation; {"remove": true}: gone';

CREATE TABLE crm_bridge.merge_policy (
  org_id  bigint NOT NULL,
  scope   text   NOT NULL,
  field   text   NOT NULL,
  policy  text   NOT NULL,
  CONSTRAINT merge_policy_key PRIMARY KEY (org_id, scope, field),
  CONSTRAINT merge_policy_known CHECK (policy IN ('left', 'right', 'newest', 'manual'))
);
COMMENT ON TABLE crm_bridge.merge_policy IS 'who wins when both sides changed a field (D1); without a row: newest';
COMMENT ON COLUMN crm_bridge.merge_policy.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.merge_policy.scope IS 'a pairing (left and right are its sides) or a module (left is the mirror, right the service)';
COMMENT ON COLUMN crm_bridge.merge_policy.field IS 'the left side''s field, or * for all that have no row of their own';
COMMENT ON COLUMN crm_bridge.merge_policy.policy IS 'left, right, newest or manual';
