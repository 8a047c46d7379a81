-- The mirror of the CRM's notes.  What a note hangs on is one reference a module (docs/decisions/0006).

CREATE TABLE crm_bridge.crm_note (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  title          text,
  content        text,
  account_id     uuid,
  contact_id     uuid,
  lead_id        uuid,
  deal_id        uuid,
  task_id        uuid,
  owner_id       uuid,
  author_id      uuid,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT crm_note_key PRIMARY KEY (org_id, id),
  CONSTRAINT crm_note_external_id_unique UNIQUE (org_id, external_id),
  CONSTRAINT crm_note_about_one_thing CHECK (num_nonnulls(account_id, contact_id, lead_id, deal_id, task_id) <= 1),
  -- The CRM takes no note without a record that it hangs on, and none that says nothing.  What it has itself may hang on
  -- something that has no mirror.
  CONSTRAINT crm_note_about_something
    CHECK (external_id IS NOT NULL OR num_nonnulls(account_id, contact_id, lead_id, deal_id, task_id) = 1),
  CONSTRAINT crm_note_says_something CHECK (external_id IS NOT NULL OR COALESCE(title, '') <> '' OR COALESCE(content, '') <> '')
);
COMMENT ON TABLE crm_bridge.crm_note IS 'notes on records of the CRM';
CREATE INDEX crm_note_by_task_id ON crm_bridge.crm_note (org_id, task_id) WHERE task_id IS NOT NULL;
CREATE INDEX crm_note_by_deal_id ON crm_bridge.crm_note (org_id, deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX crm_note_by_account_id ON crm_bridge.crm_note (org_id, account_id) WHERE account_id IS NOT NULL;

INSERT INTO crm_bridge.standard_field
  (module, field, api_name, type, reference_module, writable, addresses, maximum_length, picklist, description) VALUES
  ('crm_note', 'title', 'Note_Title', 'text', NULL, true, false, 120, NULL,
   'heading'),
  ('crm_note', 'content', 'Note_Content', 'text', NULL, true, false, 65535, NULL,
   'what it says'),
  ('crm_note', 'account_id', 'Parent_Id', 'reference', 'crm_account', true, false, NULL, NULL,
   'the account that it hangs on; settled when the note is made'),
  ('crm_note', 'contact_id', 'Parent_Id', 'reference', 'crm_contact', true, false, NULL, NULL,
   'the contact that it hangs on; settled when the note is made'),
  ('crm_note', 'lead_id', 'Parent_Id', 'reference', 'crm_lead', true, false, NULL, NULL,
   'the lead that it hangs on; settled when the note is made'),
  ('crm_note', 'deal_id', 'Parent_Id', 'reference', 'crm_deal', true, false, NULL, NULL,
   'the deal that it hangs on; settled when the note is made'),
  ('crm_note', 'task_id', 'Parent_Id', 'reference', 'crm_task', true, false, NULL, NULL,
   'the task that it hangs on; settled when the note is made'),
  ('crm_note', 'owner_id', 'Owner', 'reference', 'crm_user', true, false, NULL, NULL,
   'the user who owns the note'),
  ('crm_note', 'author_id', 'Created_By', 'reference', 'crm_user', false, false, NULL, NULL,
   'the user who wrote it; of a note made here the user of the worker''s credential');
