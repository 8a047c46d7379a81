-- What the services know: modules and their standard fields.  Pure catalogs, the same for every organization; an
-- organization's own custom fields and picklists are in service_field.

CREATE TABLE crm_bridge.module (
  module     text    NOT NULL,
  service    text    NOT NULL,
  api_name   text    NOT NULL,
  label      text    NOT NULL,
  position   integer NOT NULL,
  creatable  boolean NOT NULL,
  updatable  boolean NOT NULL,
  deletable  boolean NOT NULL,
  polled     boolean NOT NULL,
  CONSTRAINT module_key PRIMARY KEY (module)
);
COMMENT ON TABLE crm_bridge.module IS 'one kind of record of one service; its mirror is the table of the same name';
COMMENT ON COLUMN crm_bridge.module.module IS 'name of the module and of its mirror table';
COMMENT ON COLUMN crm_bridge.module.service IS 'the service it belongs to';
COMMENT ON COLUMN crm_bridge.module.api_name IS 'the name in the service''s API';
COMMENT ON COLUMN crm_bridge.module.label IS 'what people call one record of it';
COMMENT ON COLUMN crm_bridge.module.position IS 'order of the first reading: what others refer to comes first';
COMMENT ON COLUMN crm_bridge.module.creatable IS 'whether rows inserted here are created at the service';
COMMENT ON COLUMN crm_bridge.module.updatable IS 'whether changes made here are sent';
COMMENT ON COLUMN crm_bridge.module.deletable IS 'whether deletions made here are sent';
COMMENT ON COLUMN crm_bridge.module.polled IS 'whether the worker looks for changes by itself';

INSERT INTO crm_bridge.module (module, service, api_name, label, position, creatable, updatable, deletable, polled) VALUES
  ('crm_profile',          'zoho_crm',      'profiles',  'profile',      1, false, false, false, true),
  ('crm_user',             'zoho_crm',      'users',     'user',         2, false, false, false, true),
  ('crm_account',          'zoho_crm',      'Accounts',  'account',      3, true,  true,  true,  true),
  ('crm_contact',          'zoho_crm',      'Contacts',  'contact',      4, true,  true,  true,  true),
  ('crm_lead',             'zoho_crm',      'Leads',     'lead',         5, true,  true,  true,  true),
  ('crm_deal',             'zoho_crm',      'Deals',     'deal',         6, true,  true,  true,  true),
  ('crm_task',             'zoho_crm',      'Tasks',     'task',         7, true,  true,  true,  true),
  ('crm_note',             'zoho_crm',      'Notes',     'note',         8, true,  true,  true,  true),
  ('projects_portal',      'zoho_projects', 'portals',   'portal',       1, false, false, false, true),
  ('projects_user',        'zoho_projects', 'users',     'portal user',  2, true,  false, false, true),
  ('projects_client',      'zoho_projects', 'clients',   'client',       3, true,  true,  true,  true),
  ('projects_task_status', 'zoho_projects', 'statuses',  'task status',  4, false, false, false, true),
  ('projects_project',     'zoho_projects', 'projects',  'project',      5, true,  true,  true,  true),
  ('projects_client_user', 'zoho_projects', 'clientusers', 'client user', 6, true, true,  true,  true),
  ('projects_task_list',   'zoho_projects', 'tasklists', 'task list',    7, true,  true,  true,  true),
  ('projects_task',        'zoho_projects', 'tasks',     'task',         8, true,  true,  true,  true),
  ('projects_comment',     'zoho_projects', 'comments',  'comment',      9, true,  true,  true,  true);

CREATE TABLE crm_bridge.standard_field (
  module            text    NOT NULL,
  field             text    NOT NULL,
  api_name          text    NOT NULL,
  type              text    NOT NULL,
  reference_module  text,
  writable          boolean NOT NULL,
  addresses         boolean NOT NULL DEFAULT false,
  maximum_length    integer,
  picklist          text[],
  description       text    NOT NULL,
  CONSTRAINT standard_field_key PRIMARY KEY (module, field),
  CONSTRAINT standard_field_of_module FOREIGN KEY (module) REFERENCES crm_bridge.module (module),
  CONSTRAINT standard_field_type_known CHECK (type IN
    ('text', 'html', 'number', 'money', 'boolean', 'date', 'instant', 'picklist', 'reference', 'references', 'json')),
  CONSTRAINT standard_field_reference_named CHECK ((type IN ('reference', 'references')) = (reference_module IS NOT NULL))
);
COMMENT ON TABLE crm_bridge.standard_field IS 'the fields that a module has in every organization: one typed column of the mirror each';
COMMENT ON COLUMN crm_bridge.standard_field.module IS 'the module';
COMMENT ON COLUMN crm_bridge.standard_field.field IS 'name of the mirror''s column';
COMMENT ON COLUMN crm_bridge.standard_field.api_name IS 'the name in the service''s API';
COMMENT ON COLUMN crm_bridge.standard_field.type IS 'what the value means; decides which conversions fit';
COMMENT ON COLUMN crm_bridge.standard_field.reference_module IS 'the module that a reference points to';
COMMENT ON COLUMN crm_bridge.standard_field.writable IS 'whether the service takes a value for it; if not, only the service changes it';
COMMENT ON COLUMN crm_bridge.standard_field.addresses IS 'part of the record''s URL at the service';
COMMENT ON COLUMN crm_bridge.standard_field.maximum_length IS 'characters that the service takes, where it says so';
COMMENT ON COLUMN crm_bridge.standard_field.picklist IS 'the usual choices; the organization''s own are in service_field';
COMMENT ON COLUMN crm_bridge.standard_field.description IS 'one line, also the comment of the mirror''s column';

-- What the worker's connectors say of themselves (design §8): a pure catalog too, told anew whenever a worker starts.
CREATE TABLE crm_bridge.capability (
  service   text        NOT NULL,
  module    text        NOT NULL,
  call      text        NOT NULL,
  how       text        NOT NULL,
  requests  text        NOT NULL,
  contract  text        NOT NULL,
  in_use    boolean     NOT NULL,
  told_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT capability_key PRIMARY KEY (service, module, call),
  CONSTRAINT capability_contract_known CHECK (contract IN ('documented', 'observed', 'assumed', 'absent')),
  CONSTRAINT capability_absent_not_in_use CHECK (contract <> 'absent' OR NOT in_use)
);
COMMENT ON TABLE crm_bridge.capability IS
  'how the worker finds and makes changes at each service, what that costs, and how far the service''s contract bears it out; told by the worker at its start';
COMMENT ON COLUMN crm_bridge.capability.service IS 'the service';
COMMENT ON COLUMN crm_bridge.capability.module IS 'the module, or * for all of the service';
COMMENT ON COLUMN crm_bridge.capability.call IS 'create, update, delete, find changes, find deletions, …';
COMMENT ON COLUMN crm_bridge.capability.how IS 'how it is done; of a create also how a lost answer leaves one record only';
COMMENT ON COLUMN crm_bridge.capability.requests IS 'what it costs in requests';
COMMENT ON COLUMN crm_bridge.capability.contract IS
  'documented by the service; observed on the wire only; assumed: off unless assumed_calls says otherwise; absent: a person has to do it';
COMMENT ON COLUMN crm_bridge.capability.in_use IS 'whether the worker that told it makes this call';
COMMENT ON COLUMN crm_bridge.capability.told_at IS 'when a worker said so first';

-- What an organization may decide otherwise; each setting is described here once.
CREATE TABLE crm_bridge.known_setting (
  name         text  NOT NULL,
  type         text  NOT NULL,
  fallback     jsonb NOT NULL,
  description  text  NOT NULL,
  CONSTRAINT known_setting_key PRIMARY KEY (name),
  CONSTRAINT known_setting_type_known CHECK (type IN ('array', 'boolean', 'number', 'string'))
);
COMMENT ON TABLE crm_bridge.known_setting IS 'the settings that there are: set_setting() sets one for an organization';
COMMENT ON COLUMN crm_bridge.known_setting.name IS 'the setting';
COMMENT ON COLUMN crm_bridge.known_setting.type IS 'type of its JSON value';
COMMENT ON COLUMN crm_bridge.known_setting.fallback IS 'what holds where an organization decided nothing';
COMMENT ON COLUMN crm_bridge.known_setting.description IS 'what it decides';
INSERT INTO crm_bridge.known_setting (name, type, fallback, description) VALUES
  ('won_stages',               'array',   '["Closed Won"]',    'the stages in which a deal counts as won (R55)'),
  ('maximum_attempts',         'number',  '12',                'how often something is sent before it is a dead letter'),
  ('clients_for_projects',     'boolean', 'true',              'whether a deal''s account gets a client with its first project'),
  ('client_users_for_projects', 'string', '"existing"',       'which contacts come along as client users: existing, invite or none (R56)'),
  ('administrator_profiles',   'array',   '["Administrator"]', 'names of the CRM profiles whose users may set up (R1)'),
  ('rule_mode',                'string',  '"reject"',          'what becomes of an app''s write that the other side is bound to refuse: reject, warn or send (D3)'),
  ('refusal',                  'string',  '"revert"',          'what becomes of a change made in the CRM that Projects refuses: revert puts the record back, keep leaves it (D3)'),
  ('require_acting_user',      'boolean', 'false',             'whether an app must say for whom it writes to Projects'),
  ('mass_change_limit',        'number',  '1000',              'how many records of a module are deleted within an hour without asking (B7); 0: any'),
  ('mass_change_share',        'number',  '0.2',               'and up to which share of the module, above 100 records; 0: any'),
  ('mass_overwrite_limit',     'number',  '10000',             'how many records one run overwrites without asking (B7); 0: any'),
  ('mass_create_limit',        'number',  '10000',             'how many linked records of a module the bridge creates at a service within an hour without asking (B7); 0: any'),
  ('history_retention_days',   'number',  '0',                 'how many days of history maintain() keeps; 0: all'),
  ('trial_notice_days',        'number',  '3',                 'how many days before the end of the trial its administrators are told (R2); 0: not'),
  ('default_locale',           'string',  '"en"',              'language of mails to people whose language is not known'),
  ('mails_per_minute',         'number',  '100',               'how many mails a minute at most'),
  ('mails_per_recipient_hour', 'number',  '30',                'how many mails one person gets in an hour at most; the last one is a summary');
