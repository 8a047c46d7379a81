-- What the CRM's profiles may do with the data of Projects (R30, R31).

CREATE TABLE crm_bridge.profile_permission (
  org_id       bigint      NOT NULL,
  profile_id   uuid        NOT NULL,
  tab_visible  boolean     NOT NULL DEFAULT false,
  can_view     boolean     NOT NULL DEFAULT false,
  can_create   boolean     NOT NULL DEFAULT false,
  can_edit     boolean     NOT NULL DEFAULT false,
  can_delete   boolean     NOT NULL DEFAULT false,
  changed_at   timestamptz NOT NULL DEFAULT now(),
  changed_by   text        NOT NULL DEFAULT crm_bridge.calling_role(),
  CONSTRAINT profile_permission_key PRIMARY KEY (org_id, profile_id)
);
COMMENT ON TABLE crm_bridge.profile_permission IS
  'five independent flags a CRM profile; without a row administrators'' profiles may everything and others nothing; set with set_profile_permission';
COMMENT ON COLUMN crm_bridge.profile_permission.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.profile_permission.profile_id IS 'the profile, a row of crm_profile';
COMMENT ON COLUMN crm_bridge.profile_permission.tab_visible IS 'whether there is anything of Projects to be seen at all';
COMMENT ON COLUMN crm_bridge.profile_permission.can_view IS 'whether records of Projects may be read';
COMMENT ON COLUMN crm_bridge.profile_permission.can_create IS 'whether records of Projects may be inserted';
COMMENT ON COLUMN crm_bridge.profile_permission.can_edit IS 'whether records of Projects may be updated';
COMMENT ON COLUMN crm_bridge.profile_permission.can_delete IS 'whether records of Projects may be deleted';
COMMENT ON COLUMN crm_bridge.profile_permission.changed_at IS 'when a flag was set or cleared last';
COMMENT ON COLUMN crm_bridge.profile_permission.changed_by IS 'by whom';
