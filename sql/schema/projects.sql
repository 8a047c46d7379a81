-- Mirrors of Zoho Projects; the rules of schema/crm.sql hold here too.

CREATE TABLE crm_bridge.projects_portal (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  name           text,
  time_zone      text,
  owner_email    text,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT projects_portal_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_portal_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_portal IS 'portals of Projects; read only';

CREATE TABLE crm_bridge.projects_user (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  full_name      text,
  email          text,
  is_active      boolean,
  role           text,
  profile        text,
  portal_id      uuid,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT projects_user_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_user_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_user IS 'users of the portal; added by imports and by permissions, otherwise read only';
CREATE INDEX projects_user_by_email ON crm_bridge.projects_user (org_id, lower(email));

CREATE TABLE crm_bridge.projects_client (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  name           text,
  name_key       text         COLLATE "C" GENERATED ALWAYS AS (crm_bridge.name_key(name)) STORED,
  email          text,
  phone          text,
  website        text,
  portal_id      uuid,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT projects_client_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_client_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_client IS 'customers of the portal';
COMMENT ON COLUMN crm_bridge.projects_client.name_key IS 'name as names are compared (D6): crm_bridge.name_key(name)';
CREATE INDEX projects_client_by_name ON crm_bridge.projects_client (org_id, name);
CREATE INDEX projects_client_by_name_key ON crm_bridge.projects_client (org_id, name_key);

CREATE TABLE crm_bridge.projects_client_user (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  first_name     text,
  last_name      text,
  full_name      text,
  email          text,
  is_active      boolean,
  client_id      uuid,
  project_id     uuid,
  portal_id      uuid,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT projects_client_user_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_client_user_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_client_user IS 'people of a customer who see its projects';
CREATE INDEX projects_client_user_by_email ON crm_bridge.projects_client_user (org_id, lower(email));
CREATE INDEX projects_client_user_by_client_id ON crm_bridge.projects_client_user (org_id, client_id);

CREATE TABLE crm_bridge.projects_task_status (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  name           text,
  is_closed      boolean,
  portal_id      uuid,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT projects_task_status_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_task_status_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_task_status IS 'states that a task may have in the portal; read only';

CREATE TABLE crm_bridge.projects_project (
  org_id             bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id                 uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id        text,
  name               text,
  description        text,
  start_date         date,
  end_date           date,
  owner_id           uuid,
  client_id          uuid,
  user_ids           uuid[],
  client_user_ids    uuid[],
  status             text,
  is_completed       boolean,
  is_strict          boolean,
  percent_complete   numeric,
  open_task_count    numeric,
  closed_task_count  numeric,
  portal_id          uuid,
  custom_fields      jsonb        NOT NULL DEFAULT '{}',
  origin             text         NOT NULL DEFAULT 'app',
  created_at         timestamptz  NOT NULL DEFAULT now(),
  modified_at        timestamptz  NOT NULL DEFAULT now(),
  modified_by        text,
  CONSTRAINT projects_project_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_project_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_project IS 'projects';
CREATE INDEX projects_project_by_client_id ON crm_bridge.projects_project (org_id, client_id);

CREATE TABLE crm_bridge.projects_task_list (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  name           text,
  project_id     uuid,
  portal_id      uuid,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT projects_task_list_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_task_list_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_task_list IS 'task lists of a project';
CREATE INDEX projects_task_list_by_project_id ON crm_bridge.projects_task_list (org_id, project_id);

CREATE TABLE crm_bridge.projects_task (
  org_id                 bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id                     uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id            text,
  name                   text,
  description            text,
  start_date             timestamptz,
  end_date               timestamptz,
  priority               text,
  is_completed           boolean,
  status                 text,
  completion_percentage  numeric,
  owner_ids              uuid[],
  key                    text,
  parent_task_id         uuid,
  task_list_id           uuid,
  project_id             uuid,
  portal_id              uuid,
  custom_fields          jsonb        NOT NULL DEFAULT '{}',
  origin                 text         NOT NULL DEFAULT 'app',
  created_at             timestamptz  NOT NULL DEFAULT now(),
  modified_at            timestamptz  NOT NULL DEFAULT now(),
  modified_by            text,
  CONSTRAINT projects_task_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_task_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_task IS 'tasks of a project';
CREATE INDEX projects_task_by_project_id ON crm_bridge.projects_task (org_id, project_id);
CREATE INDEX projects_task_by_parent_task_id ON crm_bridge.projects_task (org_id, parent_task_id);

CREATE TABLE crm_bridge.projects_comment (
  org_id         bigint       NOT NULL DEFAULT crm_bridge.current_org(),
  id             uuid         NOT NULL DEFAULT crm_bridge.new_id(),
  external_id    text,
  content        text,
  author_id      uuid,
  author_name    text,
  posted_at      timestamptz,
  task_id        uuid,
  project_id     uuid,
  portal_id      uuid,
  custom_fields  jsonb        NOT NULL DEFAULT '{}',
  origin         text         NOT NULL DEFAULT 'app',
  created_at     timestamptz  NOT NULL DEFAULT now(),
  modified_at    timestamptz  NOT NULL DEFAULT now(),
  modified_by    text,
  CONSTRAINT projects_comment_key PRIMARY KEY (org_id, id),
  CONSTRAINT projects_comment_external_id_unique UNIQUE (org_id, external_id)
);
COMMENT ON TABLE crm_bridge.projects_comment IS 'comments on tasks';
CREATE INDEX projects_comment_by_task_id ON crm_bridge.projects_comment (org_id, task_id);
CREATE INDEX projects_comment_by_project_id ON crm_bridge.projects_comment (org_id, project_id);

-- Whoever comments names the task; project and portal, which are part of the comment's URL, follow from it.
CREATE FUNCTION crm_bridge._place_of_comment()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  task record;
BEGIN
  IF NEW.task_id IS NOT NULL AND NEW.project_id IS NULL THEN
    SELECT t.project_id, t.portal_id INTO task FROM crm_bridge.projects_task AS t WHERE t.org_id = NEW.org_id AND t.id = NEW.task_id;
    IF FOUND THEN
      NEW.project_id := task.project_id;
      NEW.portal_id := COALESCE(NEW.portal_id, task.portal_id);
    END IF;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm_bridge._place_of_comment() IS 'fills in the project of a comment from its task';
REVOKE ALL ON FUNCTION crm_bridge._place_of_comment() FROM PUBLIC;
-- Its name sorts after the guard's.
CREATE TRIGGER "1_place_of_comment" BEFORE INSERT OR UPDATE ON crm_bridge.projects_comment
  FOR EACH ROW EXECUTE FUNCTION crm_bridge._place_of_comment();

INSERT INTO crm_bridge.standard_field
  (module, field, api_name, type, reference_module, writable, addresses, maximum_length, picklist, description) VALUES
  ('projects_portal', 'name', 'portal_name', 'text', NULL, false, false, NULL, NULL,
   'name of the portal'),
  ('projects_portal', 'time_zone', 'time_zone', 'text', NULL, false, false, NULL, NULL,
   'IANA zone of the portal (D18)'),
  ('projects_portal', 'owner_email', 'owner_email', 'text', NULL, false, false, NULL, NULL,
   'e-mail address of the portal''s owner'),
  ('projects_user', 'full_name', 'full_name', 'text', NULL, false, false, NULL, NULL,
   'full name'),
  ('projects_user', 'email', 'email', 'text', NULL, true, false, NULL, NULL,
   'e-mail address; joins a portal user with the CRM user of the same address'),
  ('projects_user', 'is_active', 'is_active', 'boolean', NULL, false, false, NULL, NULL,
   'whether the user may work'),
  ('projects_user', 'role', 'role', 'text', NULL, true, false, NULL, NULL,
   'name of the role (R33: Employee)'),
  ('projects_user', 'profile', 'profile', 'text', NULL, false, false, NULL, NULL,
   'name of the portal profile'),
  ('projects_user', 'portal_id', 'portal', 'reference', 'projects_portal', true, true, NULL, NULL,
   'the portal'),
  ('projects_client', 'name', 'name', 'text', NULL, true, false, 200, NULL,
   'name of the client (R37)'),
  ('projects_client', 'email', 'email', 'text', NULL, true, false, NULL, NULL,
   'e-mail address'),
  ('projects_client', 'phone', 'phone', 'text', NULL, true, false, NULL, NULL,
   'telephone'),
  ('projects_client', 'website', 'website', 'text', NULL, true, false, NULL, NULL,
   'web address'),
  ('projects_client', 'portal_id', 'portal', 'reference', 'projects_portal', true, true, NULL, NULL,
   'the portal'),
  ('projects_client_user', 'first_name', 'first_name', 'text', NULL, true, false, NULL, NULL,
   'first name'),
  ('projects_client_user', 'last_name', 'last_name', 'text', NULL, true, false, NULL, NULL,
   'last name'),
  ('projects_client_user', 'full_name', 'full_name', 'text', NULL, false, false, NULL, NULL,
   'first and last name as Projects shows them'),
  ('projects_client_user', 'email', 'email', 'text', NULL, true, false, NULL, NULL,
   'e-mail address; by it the person is invited'),
  ('projects_client_user', 'is_active', 'is_active', 'boolean', NULL, false, false, NULL, NULL,
   'whether the person may enter'),
  ('projects_client_user', 'client_id', 'client', 'reference', 'projects_client', true, false, NULL, NULL,
   'the customer whom the person works for'),
  ('projects_client_user', 'project_id', 'invited_to', 'reference', 'projects_project', true, false, NULL, NULL,
   'the project that the person is invited to; client_user_ids of a project has all its people'),
  ('projects_client_user', 'portal_id', 'portal', 'reference', 'projects_portal', true, true, NULL, NULL,
   'the portal'),
  ('projects_task_status', 'name', 'name', 'text', NULL, false, false, NULL, NULL,
   'name of the status'),
  ('projects_task_status', 'is_closed', 'is_closed_type', 'boolean', NULL, false, false, NULL, NULL,
   'whether a task in it is closed'),
  ('projects_task_status', 'portal_id', 'portal', 'reference', 'projects_portal', false, true, NULL, NULL,
   'the portal'),
  ('projects_project', 'name', 'name', 'text', NULL, true, false, 200, NULL,
   'name of the project'),
  ('projects_project', 'description', 'description', 'html', NULL, true, false, 80000, NULL,
   'text with markup'),
  ('projects_project', 'start_date', 'start_date', 'date', NULL, true, false, NULL, NULL,
   'first day'),
  ('projects_project', 'end_date', 'end_date', 'date', NULL, true, false, NULL, NULL,
   'last day'),
  ('projects_project', 'owner_id', 'owner', 'reference', 'projects_user', true, false, NULL, NULL,
   'the portal user who owns the project'),
  ('projects_project', 'client_id', 'client', 'reference', 'projects_client', true, false, NULL, NULL,
   'the customer'),
  ('projects_project', 'user_ids', 'project_users', 'references', 'projects_user', true, false, NULL, NULL,
   'the portal users who work in the project; empty: not read yet'),
  ('projects_project', 'client_user_ids', 'client_users', 'references', 'projects_client_user', true, false, NULL, NULL,
   'the customer''s people who see the project; empty: not read yet'),
  ('projects_project', 'status', 'status', 'picklist', NULL, false, false, NULL, NULL,
   'state of the project'),
  ('projects_project', 'is_completed', 'is_completed', 'boolean', NULL, false, false, NULL, NULL,
   'whether the project is closed'),
  ('projects_project', 'is_strict', 'is_strict_project', 'boolean', NULL, false, false, NULL, NULL,
   'tasks must lie within the project''s dates (R80)'),
  ('projects_project', 'percent_complete', 'percent_complete', 'number', NULL, false, false, NULL, NULL,
   'progress in percent, computed by Projects (R58)'),
  ('projects_project', 'open_task_count', 'tasks.open_count', 'number', NULL, false, false, NULL, NULL,
   'open tasks, counted by Projects'),
  ('projects_project', 'closed_task_count', 'tasks.closed_count', 'number', NULL, false, false, NULL, NULL,
   'closed tasks, counted by Projects'),
  ('projects_project', 'portal_id', 'portal', 'reference', 'projects_portal', true, true, NULL, NULL,
   'the portal'),
  ('projects_task_list', 'name', 'name', 'text', NULL, true, false, 200, NULL,
   'name of the list'),
  ('projects_task_list', 'project_id', 'project', 'reference', 'projects_project', true, true, NULL, NULL,
   'the project'),
  ('projects_task_list', 'portal_id', 'portal', 'reference', 'projects_portal', true, true, NULL, NULL,
   'the portal'),
  ('projects_task', 'name', 'name', 'text', NULL, true, false, NULL, NULL,
   'title of the task (R61)'),
  ('projects_task', 'description', 'description', 'html', NULL, true, false, NULL, NULL,
   'text with markup (R62)'),
  ('projects_task', 'start_date', 'start_date', 'instant', NULL, true, false, NULL, NULL,
   'start'),
  ('projects_task', 'end_date', 'end_date', 'instant', NULL, true, false, NULL, NULL,
   'due (R63)'),
  ('projects_task', 'priority', 'priority', 'picklist', NULL, true, false, NULL, ARRAY['none', 'low', 'medium', 'high'],
   'none, low, medium or high (R64)'),
  ('projects_task', 'is_completed', 'is_completed', 'boolean', NULL, true, false, NULL, NULL,
   'closed or open (R65); sent as a status of that kind'),
  ('projects_task', 'status', 'status', 'picklist', NULL, false, false, NULL, NULL,
   'name of the status'),
  ('projects_task', 'completion_percentage', 'completion_percentage', 'number', NULL, true, false, NULL, NULL,
   'percent'),
  ('projects_task', 'owner_ids', 'owners_and_work', 'references', 'projects_user', true, false, NULL, NULL,
   'who is to do it, the first one first (R66)'),
  ('projects_task', 'key', 'prefix', 'text', NULL, false, false, NULL, NULL,
   'the short key that people say'),
  ('projects_task', 'parent_task_id', 'parental_info', 'reference', 'projects_task', true, false, NULL, NULL,
   'the task that this one is a part of'),
  ('projects_task', 'task_list_id', 'tasklist', 'reference', 'projects_task_list', true, false, NULL, NULL,
   'the task list'),
  ('projects_task', 'project_id', 'project', 'reference', 'projects_project', true, true, NULL, NULL,
   'the project'),
  ('projects_task', 'portal_id', 'portal', 'reference', 'projects_portal', true, true, NULL, NULL,
   'the portal'),
  ('projects_comment', 'content', 'comment', 'html', NULL, true, false, 80000, NULL,
   'text with markup'),
  ('projects_comment', 'author_id', 'created_by', 'reference', 'projects_user', false, false, NULL, NULL,
   'the portal user who wrote it'),
  ('projects_comment', 'author_name', 'created_by.full_name', 'text', NULL, false, false, NULL, NULL,
   'who wrote it, also when it is no portal user'),
  ('projects_comment', 'posted_at', 'created_time', 'instant', NULL, false, false, NULL, NULL,
   'when it was written'),
  ('projects_comment', 'task_id', 'task', 'reference', 'projects_task', true, true, NULL, NULL,
   'the task'),
  ('projects_comment', 'project_id', 'project', 'reference', 'projects_project', true, true, NULL, NULL,
   'the project; follows from the task when it is left out'),
  ('projects_comment', 'portal_id', 'portal', 'reference', 'projects_portal', true, true, NULL, NULL,
   'the portal');
